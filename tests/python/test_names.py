"""NAME-1..5: what the modules hold."""

from __future__ import annotations

import errno
import importlib.metadata
import re
import select
import shutil
import socket as standard
import subprocess
import sys
from pathlib import Path

import pytest
import uerrno
import uselect
import usocket
from python_support import run_python
from usocket import compat

FUNCTIONS = {"getaddrinfo", "inet_ntop", "inet_pton", "sockaddr", "socket", "socketpair"}
FAMILIES = re.compile(r"(AF|SOCK|IPPROTO|SOL|SO|TCP|UDP|IP|IPV6|MSG|AI|NI|EAI|SHUT|SCM)_[A-Z0-9_]+")
# Those that every program may count on, some of them enumerators, which no list of macros has.
OTHERS = (
    "AF_INET AF_INET6 AF_UNIX AF_UNSPEC SOCK_STREAM SOCK_DGRAM SOCK_RAW IPPROTO_IP IPPROTO_TCP IPPROTO_UDP"
    " IPPROTO_IPV6 SOMAXCONN"
).split()
HEADERS = "".join(
    f"#include <{name}>\n"
    for name in ("netdb.h", "netinet/in.h", "netinet/tcp.h", "netinet/udp.h", "sys/socket.h", "stdio.h")
)


def public(module: object) -> set[str]:
    return {name for name in vars(module) if not name.startswith("_")}


def test_name_1_usocket_holds_the_reference_and_nothing_else() -> None:
    constants = {name for name in public(usocket) if isinstance(getattr(usocket, name), int)}
    submodules = {"compat", "desktop", "pytest_plugin"}
    assert public(usocket) - constants - submodules == FUNCTIONS
    assert set(usocket.__all__) == constants | FUNCTIONS


def test_name_5_one_version() -> None:
    assert usocket.__version__ == importlib.metadata.version("usocket")


@pytest.mark.parametrize("name", ["error", "timeout", "gaierror", "herror"])
def test_name_1_usocket_has_no_exceptions(name: str) -> None:
    assert not hasattr(usocket, name)


def test_name_1_everything_says_that_it_is_from_usocket() -> None:
    assert {getattr(usocket, name).__module__ for name in FUNCTIONS} == {"usocket"}
    assert uselect.poll.__module__ == "uselect"


def test_name_2_compat_has_everything_of_usocket() -> None:
    assert set(usocket.__all__) - {"sockaddr"} <= set(compat.__all__)
    assert compat.sockaddr is usocket.sockaddr
    assert all(hasattr(compat, name) for name in compat.__all__)


@pytest.mark.parametrize("name", ["error", "timeout", "gaierror", "herror"])
def test_name_2_compat_has_exceptions_that_are_os_errors(name: str) -> None:
    assert issubclass(getattr(compat, name), OSError)


@pytest.fixture(scope="module")
def system_constants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the C compiler finds in the system's headers: every macro of NAME-3 and its value."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    flags = [compiler, "-D_GNU_SOURCE", "-x", "c", "-"]
    macros = subprocess.run([*flags, "-dM", "-E"], input=HEADERS, capture_output=True, text=True, check=True).stdout
    names = {line.split()[1] for line in macros.splitlines()}
    names = {name for name in names if FAMILIES.fullmatch(name)} | set(OTHERS)
    names -= {"SCM_SRCRT"}  # stands for a name that glibc does not have
    program = tmp_path_factory.mktemp("constants") / "program"
    source = "".join(f'printf("{name} %ld\\n", (long)({name}));\n' for name in sorted(names))
    source = f"{HEADERS}int main(void) {{\n{source}return 0; }}\n"
    subprocess.run([*flags, "-o", program], input=source, text=True, check=True, capture_output=True)
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


def test_name_3_every_constant_of_the_system_is_there(system_constants: dict[str, int]) -> None:
    assert len(system_constants) > 200
    ours = {name: getattr(usocket, name, None) for name in system_constants}
    assert ours == system_constants


@pytest.mark.parametrize("name", ["SOCK_SEQPACKET", "IPPROTO_ICMP", "NI_NUMERICHOST", "SCM_RIGHTS", "UDP_CORK"])
def test_name_3_one_of_each_family_that_is_no_option(name: str) -> None:
    assert getattr(usocket, name) == getattr(standard, name, getattr(usocket, name))
    assert name in usocket.__all__


@pytest.mark.parametrize("prefix", ["AF_", "SOCK_", "IPPROTO_", "SOL_", "SO_", "TCP_", "UDP_", "IP_", "IPV6_", "MSG_"])
def test_name_3_all_that_cpython_found_here(prefix: str) -> None:
    """Whoever built it may have had headers that this system has not: only what is a name to both is one value."""
    of_other_headers = {"SOL_HCI", "SOL_L2CAP", "SOL_RFCOMM", "SOL_SCO", "SO_ORIGINAL_DST"}
    names = {name for name in dir(standard) if name.startswith(prefix)} - of_other_headers
    theirs = {name: getattr(standard, name) for name in names}
    has_headers = Path("/usr/include/linux/can/j1939.h").exists() and Path("/usr/include/linux/vm_sockets.h").exists()
    lacking = set(theirs) - set(usocket.__all__)
    assert not has_headers or not lacking
    assert {name: getattr(usocket, name) for name in set(theirs) - lacking} == {
        n: theirs[n] for n in set(theirs) - lacking
    }


def test_name_3_ipproto_sec_is_the_wipys() -> None:
    assert usocket.IPPROTO_SEC == 100


def test_name_3_stub_names_what_the_module_has() -> None:
    stub = Path(usocket.__file__).with_name("_usocket.pyi").read_text()
    typed = set(re.findall(r"^(?:def|class) (\w+)", stub, re.M)) | set(re.findall(r"^([A-Z]\w+): int", stub, re.M))
    assert set(OTHERS) | FUNCTIONS <= typed
    own = {name for name in public(usocket._usocket) if not isinstance(getattr(usocket._usocket, name), int)}
    constants = set(re.findall(r"^([A-Z]\w+): int", stub, re.M))
    assert {name for name in typed - constants if not name.startswith("_")} == own


def test_compat_1_stub_names_the_constants() -> None:
    """Each as what it is here: a member of an enumeration, or a number."""
    stub = Path(compat.__file__).with_name("constants.pyi").read_text()
    typed = dict(re.findall(r"^([A-Z]\w+): (\w+)$", stub, re.M))
    values = {name: getattr(compat, name) for name in compat.__all__}
    here = {name: type(value).__name__ for name, value in values.items() if isinstance(value, int)}
    here.pop("has_ipv6")
    assert set(here) <= set(typed)
    theirs = set(here) & set(standard.__all__)  # another CPython may have been built with more
    assert {name: typed[name] for name in theirs} == {name: here[name] for name in theirs}


# Of compat's names, those that it has for its own use, as CPython's module has others.
ITS_OWN = {"Address", "AddressLike", "Any", "Iterable", "annotations", "array", "resolve", "to_tuple"}


def test_compat_1_a_checker_knows_every_name(tmp_path: Path) -> None:
    """Also those that CPython's module has and its star does not bring."""
    api = pytest.importorskip("mypy.api")
    names = {name for name in [*vars(compat), *dir(standard)] if not name.startswith("_") and hasattr(compat, name)}
    assert {"EBADF", "EAGAIN", "AF_INET", "create_server", "sockaddr"} < names
    program = tmp_path / "names.py"
    program.write_text("import usocket.compat\n" + "".join(f"usocket.compat.{name}\n" for name in sorted(names)))
    told, _, _ = api.run(["--strict", "--cache-dir", str(tmp_path / "cache"), str(program)])
    assert set(re.findall(r'attribute "(\w+)"', told)) == ITS_OWN, told


@pytest.mark.parametrize("cls", [usocket.socket, uselect.poll])
def test_name_3_stub_names_the_methods(cls: type) -> None:
    stub = Path(usocket.__file__).with_name("_usocket.pyi").read_text()
    body = re.search(rf"^class {cls.__name__}\b.*:\n((?:    .*\n|\n)+)", stub, re.M)
    assert body is not None
    typed = {name for name in re.findall(r"^    (?:def )?(\w+)[(:]", body[1], re.M) if not name.startswith("__")}
    assert typed == {name for name in vars(cls) if not name.startswith("__")}


def test_name_4_uselect_and_uerrno() -> None:
    assert public(uselect) == {"POLLERR", "POLLHUP", "POLLIN", "POLLOUT", "poll", "select"}
    assert (uselect.POLLIN, uselect.POLLOUT) == (select.POLLIN, select.POLLOUT)
    assert (uselect.POLLERR, uselect.POLLHUP) == (select.POLLERR, select.POLLHUP)
    assert public(uerrno) == public(errno)
    assert uerrno.errorcode[uerrno.EAGAIN] == "EAGAIN"


IN_A_SUB_INTERPRETER = """
import threading, usocket, uselect, ussl
assert ussl.SSLContext().verify_mode == ussl.CERT_REQUIRED
one, other = usocket.socketpair()
assert type(one) is usocket.socket
writer = threading.Thread(target=one.write, args=(b"line\\n",))
writer.start()
assert other.readline() == b"line\\n"
writer.join()
listener = usocket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
one.close()
one = usocket.socket()
one.connect(listener.getsockname())
conn, peer = listener.accept()
assert type(peer) is usocket._usocket.Address and str(peer) == str(one.getsockname())
poll = uselect.poll()
poll.register(conn, uselect.POLLIN)
one.write("text")
assert poll.poll() == [(conn, uselect.POLLIN)] and conn.recv(4) == b"text"
try:
    conn.accept()
except OSError as error:
    print(error.errno, id(usocket.socket), flush=True)
for sock in (one, other, listener, conn):
    sock.close()
"""


@pytest.mark.parametrize("own_gil", [False, True])
def test_name_1_a_sub_interpreter_has_classes_of_its_own(own_gil: bool) -> None:
    """And so has the next in the same place, and the main interpreter goes on as before. From 3.12 on each may have a
    GIL of its own."""
    if own_gil and sys.version_info < (3, 12):
        pytest.skip("sub-interpreters share the GIL before 3.12")
    program = f"""
import usocket
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = {IN_A_SUB_INTERPRETER!r}
for _ in range(3):
    try:
        other = interpreters.create({"'isolated'" if own_gil else "'legacy'"})
    except (TypeError, ValueError):
        other = interpreters.create(isolated={own_gil})
    failure = interpreters.run_string(other, code)
    assert failure is None, failure
    interpreters.destroy(other)
    exec(code)
one, other = usocket.socketpair()
assert type(one) is usocket.socket
one.write(b"line")
assert other.read(4) == b"line"
"""
    lines = [line.split() for line in run_python(program).stdout.splitlines()]
    assert [number for number, _ in lines] == [str(errno.EINVAL)] * 6
    main = lines[1][1]
    assert [kind == main for _, kind in lines] == [False, True] * 3


def test_name_1_imported_again_it_has_the_same_socket() -> None:
    program = """
import sys, uselect, usocket
first = usocket.socket
for name in [name for name in sys.modules if name.startswith("usocket")]:
    del sys.modules[name]
import usocket
assert usocket.socket is first
poll = uselect.poll()
with usocket.socket() as socket:
    poll.register(socket)
"""
    run_python(program)


def test_name_1_its_import_takes_little() -> None:
    """No module of the standard library that would take longer than all of it."""
    program = """
import sys
before = set(sys.modules)
import usocket
print(*sorted(set(sys.modules) - before - {"__future__"}))
"""
    assert run_python(program).stdout.split() == ["usocket", "usocket._missing", "usocket._usocket"]


def test_version_comes_from_one_place() -> None:
    """NAME-5: usocket.__version__ and the package's are the header's."""
    header = (Path(__file__).resolve().parents[2] / "include" / "usocket" / "version.hpp").read_text()
    numbers = dict(re.findall(r"#define USOCKET_VERSION_(MAJOR|MINOR|PATCH) (\d+)", header))
    version = ".".join(numbers[part] for part in ("MAJOR", "MINOR", "PATCH"))
    assert usocket.__version__ == version
    assert importlib.metadata.version("usocket") == version
