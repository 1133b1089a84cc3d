# The stub of the extension that has the library for TLS, for _usocket alone.
library: object
