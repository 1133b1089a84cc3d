"""Whether an installed usocket works on this interpreter: each module, each way into the extension, once.
With --with-tls it has to have `ussl`."""

from __future__ import annotations

import inspect
import pickle
import select
import sys
import threading

import uerrno
import uselect
import usocket
import usocket.compat


def check_tls() -> None:
    """The library is there, and writes what a handshake begins with."""
    import ussl

    one, other = usocket.socketpair()
    one.setblocking(False)
    ussl.SSLContext().wrap_socket(one, server_hostname="example.org", do_handshake=False)
    try:
        one.do_handshake()
    except OSError as error:
        assert error.errno == uerrno.EAGAIN, error
    assert other.recv(3) == b"\x16\x03\x01"
    one.close()
    other.close()


def main() -> None:
    if "--with-tls" in sys.argv:
        check_tls()
    listener = usocket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    address = listener.getsockname()
    assert str(address) == f"127.0.0.1:{usocket.sockaddr(address)[2]}"
    assert pickle.loads(pickle.dumps({address: 1})) == {bytes(address): 1}

    def serve() -> None:
        conn, _ = listener.accept()
        with conn:
            for line in conn:
                conn.write(line.upper())

    server = threading.Thread(target=serve)
    server.start()
    client = usocket.socket()
    client.settimeout(10)
    client.connect(address)
    client.write("one\ntwo")
    assert client.readline() == b"ONE\n"
    poll: uselect.poll[usocket.socket, str] = uselect.poll()
    poll.register(client, uselect.POLLIN, "client")
    client.shutdown(usocket.SHUT_WR)
    ((_, _, userdata),) = poll.poll(10_000)
    assert userdata == "client"
    assert client.recv(65536) == b"TWO"
    assert client.read() == b""
    server.join()
    assert uselect.select([client], [], [], 0)[0] == [client]
    client.close()
    try:
        client.recv(1)
    except OSError as error:
        assert error.errno == uerrno.EBADF, error
        assert "the socket is closed" in str(error)
    del client  # by its finaliser
    listener.close()
    one, other = usocket.compat.socketpair()
    with one, other, other.makefile("r", encoding="ascii") as text:
        one.sendall(b"line\n")
        assert text.readline() == "line\n"
    assert "bufsize" in str(inspect.signature(usocket.socket.recv))
    assert select.POLLIN == uselect.POLLIN
    is_enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
    print("ok", *sys.version_info[:2], "with a GIL" if is_enabled else "without a GIL")


if __name__ == "__main__":
    main()
