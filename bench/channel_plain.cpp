// A build without OpenSSL.
#include "channel.hpp"

namespace bench {

std::unique_ptr<Channel> make_secure(Fd /*fd*/, const std::string& /*certificates*/) {
    errno = ENOTSUP;
    fail("this peer was built without OpenSSL, so it has no TLS");
}

}  // namespace bench
