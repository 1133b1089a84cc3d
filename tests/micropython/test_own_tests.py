"""MicroPython's own tests of sockets, from its source package: whatever passes with its own socket module passes with
ours (STRM-7, NAME-2, TIME-4, POLL-3). They use fixed ports and some would look for the way out of this machine: they
run in a network namespace that has nothing but a loopback interface.

Those with TLS get certificates of ours, which name their host where it counts (RFC 9525); theirs do so in the common
name alone. Left out are those that need unittest, where the tree has none (Debian's package has none; of another one
a skip says so), and those that look up outside names or connect to outside addresses; of three of them the part that
does not is called with a loopback address, by scripts/own_connect_tests.py."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

import pytest
from certificates import Certificate, make_certificates
from hosts import SCRIPTS, SOURCE, STOCK, SUPPORT, Host, run_isolated, way_in

TESTS = SOURCE / "tests"
TIME_LIMIT_S = 300

SINGLE = {
    "extmod": ["*socket*", "*select*", "*websocket*", "ssl_*", "tls_*"],
    "net_hosted": ["accept_nonblock*", "accept_timeout*", "asyncio_loopback*", "asyncio_start_server*"],
}
# Two instances that talk to each other; asyncio, TCP, UDP and TLS.
MULTI = "multi_net"

# Newer trees keep unittest, which some of the tests import, in a submodule.
UNITTEST = SOURCE / "lib" / "micropython-lib" / "python-stdlib" / "unittest"

# What `tls` has otherwise here, or not at all (docs/tls.md).
OTHERWISE = {
    "extmod/ssl_basic.py": "wraps what is no socket",
    "extmod/ssl_cadata.py": "ValueError for what is no certificate; here OSError that says so",
    "extmod/ssl_keycert.py": "ValueError for what is no key; here OSError that says so",
    "extmod/tls_dtls.py": "DTLS",
    "extmod/tls_sslcontext_micropython.py": "SSLContext() without a protocol is a TypeError",
    "multi_net/asyncio_tls_server_client_cert_required_error.py": "another error for the same",
    "multi_net/asyncio_tls_server_client_verify_error.py": "another error for the same",
    "multi_net/sslcontext_check_hostname_error.py": "another error for the same",
    "multi_net/sslcontext_verify_error.py": "another error for the same",
    "multi_net/sslcontext_verify_time_error.py": "another error for the same",
    "multi_net/sslcontext_server_client_ciphers.py": "get_ciphers(), set_ciphers()",
    "multi_net/sslcontext_verify_callback.py": "verify_callback",
    "multi_net/tls_dtls_server_client.py": "DTLS",
}

VERDICT = re.compile(r"^(pass|FAIL|skip) +(\S+)", re.MULTILINE)
MULTI_VERDICT = re.compile(r"^(\S+\.py) on .*: (pass|FAIL|skip|TIMEOUT)", re.MULTILINE)

pytestmark = [
    pytest.mark.skipif(way_in() is None, reason="this machine allows no network namespaces"),
    pytest.mark.timeout(3 * TIME_LIMIT_S),
]


def needs_unittest(file: str) -> bool:
    return re.search(r"^\s*import unittest", (TESTS / file).read_text(), re.MULTILINE) is not None


def verdicts_of_singles(host: Host, files: list[str], results: Path) -> dict[str, str]:
    # The last is for asyncio, in a build without frozen modules.
    path = f".frozen:{SUPPORT}:{UNITTEST}:{SOURCE / 'extmod'}"
    environment = {**os.environ, "MICROPY_MICROPYTHON": str(host.path), "MICROPYPATH": path}
    # One of them expects no more than 1024 descriptors, and several have the same port.
    command = ["sh", "-c", 'ulimit -n 1024 && exec "$@"', "sh", "./run-tests.py", "-j1", "--keep-path"]
    done = run_isolated([*command, "--result-dir", str(results), *files], TESTS, environment, TIME_LIMIT_S)
    verdicts = {name: verdict for verdict, name in VERDICT.findall(done.stdout)}
    assert verdicts, f"the runner runs nothing: {done.stdout}"
    return verdicts


def tree_with_certificates(folder: Path) -> Path:
    tests = folder / "tests"
    folder.mkdir(parents=True)
    (folder / "tools").symlink_to(SOURCE / "tools")
    shutil.copytree(TESTS, tests, symlinks=True)
    for name, algorithm in (
        ("ec", "EC -pkeyopt ec_paramgen_curve:P-256"),
        ("rsa", "RSA -pkeyopt rsa_keygen_bits:2048"),
    ):
        one = Certificate(name, names="DNS:micropython.local", issuer=name, key=algorithm)
        make_certificates(folder / "certificates" / name, [one], [])
        made = folder / "certificates" / name / name
        shutil.copy(made.with_suffix(".der"), tests / MULTI / f"{name}_cert.der")
        shutil.copy(made.with_suffix(".key.der"), tests / MULTI / f"{name}_key.der")
    return tests


def verdicts_of_multis(host: Host, files: list[str], results: Path) -> dict[str, str]:
    environment = {**os.environ, "MICROPY_MICROPYTHON": str(host.path)}
    tests = tree_with_certificates(results)
    # The runner of newer trees has other names for the same.
    is_newer = "--test-instance" in (TESTS / "run-multitests.py").read_text()
    instance = ["-t" if is_newer else "-i", f"{'unix' if is_newer else 'micropython'},MICROPYPATH=.frozen:{SUPPORT}"]
    command = ["./run-multitests.py", *instance, *instance, *files]
    done = run_isolated(command, tests, environment, TIME_LIMIT_S)
    verdicts = {name: verdict for name, verdict in MULTI_VERDICT.findall(done.stdout)}
    assert verdicts, f"the runner runs nothing: {done.stdout}"
    return verdicts


@pytest.fixture(scope="module")
def stock_verdicts() -> dict[str, dict[str, str]]:
    """What the stock binary came to, by group."""
    return {}


@pytest.mark.parametrize("group", [*SINGLE, MULTI])
def test_strm_7_what_passes_with_stock_passes_with_ours(
    host: Host, group: str, stock_verdicts: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    patterns = SINGLE.get(group, ["*"])
    files = sorted({f"{group}/{path.name}" for pattern in patterns for path in (TESTS / group).glob(pattern + ".py")})
    assert files, f"no tests in {TESTS / group}"
    # The runner of newer trees ends at the first that needs unittest, and has none.
    ends = "requires unittest" in (TESTS / "run-tests.py").read_text() and not UNITTEST.exists()
    left_out = [file for file in files if ends and needs_unittest(file)]
    files = [file for file in files if file not in left_out]
    run = verdicts_of_multis if group == MULTI else verdicts_of_singles
    if group not in stock_verdicts:
        stock_verdicts[group] = run(STOCK, files, tmp_path / "stock")
    passing = sorted(name for name, verdict in stock_verdicts[group].items() if verdict == "pass")
    assert len(passing) >= 4, stock_verdicts[group]
    ours = run(host, passing, tmp_path / "ours")
    failed = sorted(name for name in passing if ours.get(name) != "pass" and name not in OTHERWISE)
    if failed:
        # Some are about time, which a busy machine does not have: once more.
        again = run(host, failed, tmp_path / "again")
        failed = [name for name in failed if again.get(name) != "pass"]
    assert not failed
    if left_out and "MICROPYTHON_DIR" in os.environ:
        pytest.skip(f"the others pass; there is no {UNITTEST} for {', '.join(left_out)}")


def test_time_4_connect_tests_with_a_loopback_address(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        script, port = SCRIPTS / "own_connect_tests.py", str(server.getsockname()[1])
        expected = STOCK.run(script, str(TESTS / "net_hosted"), port)
        got = host.run(script, str(TESTS / "net_hosted"), port)
    assert got.stdout == expected.stdout
    assert got.stdout.splitlines()[-1] == "done"
