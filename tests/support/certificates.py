"""Certificates for the tests of TLS, made by `openssl`: NAME.pem, NAME.der, NAME.key, NAME.key.der of each in a folder.

certificates.py FOLDER      makes them there, if they are not there yet
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """
[ca]
default_ca = issuing
[issuing]
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""
HOUR = 3600


@dataclass(frozen=True)
class Certificate:
    """What is not named is as it should be: for localhost and the loopback addresses, by `trusted`."""

    name: str
    names: str = "DNS:localhost, IP:127.0.0.1, IP:::1"
    issuer: str = "trusted"  # its own name: self-signed
    purpose: str = ""  # serverAuth, clientAuth; empty: any
    begin: int = -HOUR  # seconds from now
    end: int = 100 * HOUR
    key: str = "EC -pkeyopt ec_paramgen_curve:P-256"
    issues: str = ""  # what it may issue: basicConstraints; empty: nothing
    more: str = ""  # extensions, a line each
    digest: str = "sha256"

    def extensions(self) -> str:
        lines = [self.more]
        if self.issues:
            lines += [f"basicConstraints = critical, {self.issues}", "subjectKeyIdentifier = hash"]
        else:
            lines += [f"subjectAltName = {self.names}"]
        if self.purpose:
            lines += [f"extendedKeyUsage = {self.purpose}"]
        return "".join(line + "\n" for line in lines)


CERTIFICATES = [
    Certificate("right"),
    Certificate("wildcard", names="DNS:*.example.org"),
    Certificate("converted", names="DNS:xn--bcher-kva.example"),
    Certificate("address", names="IP:127.0.0.1"),
    Certificate("no_names", names="email:somebody@example.org"),
    Certificate("expired", begin=-2 * HOUR, end=-HOUR),
    Certificate("not_yet", begin=HOUR, end=2 * HOUR),
    Certificate("self_signed", issuer="self_signed"),
    Certificate("stranger", issuer="somebody"),
    Certificate("weak", key="RSA -pkeyopt rsa_keygen_bits:1024"),
    Certificate("rsa", key="RSA -pkeyopt rsa_keygen_bits:2048"),
    Certificate("for_servers", purpose="serverAuth"),
    Certificate("for_clients", purpose="clientAuth"),
    Certificate("rsa_enciphers", key="RSA -pkeyopt rsa_keygen_bits:2048", more="keyUsage = keyEncipherment"),
    Certificate("rsa_issues", key="RSA -pkeyopt rsa_keygen_bits:2048", more="keyUsage = keyCertSign"),
    Certificate("of_old_for_clients", more="nsCertType = client"),
    Certificate("of_old_for_servers", more="nsCertType = server"),
    Certificate("sha1", digest="sha1"),
    # Chains: who stands between.
    Certificate("one", issues="CA:TRUE, pathlen:0"),
    Certificate("by_one", issuer="one"),
    Certificate("two", issuer="one", issues="CA:TRUE"),
    Certificate("by_two", issuer="two"),
    Certificate("by_right", issuer="right"),
    Certificate("old", issues="CA:TRUE", begin=-2 * HOUR, end=-HOUR),
    Certificate("by_old", issuer="old"),
    Certificate("narrow", issues="CA:TRUE", more="nameConstraints = critical, permitted;DNS:example.org"),
    Certificate("by_narrow", issuer="narrow", names="DNS:localhost"),
    *(Certificate(f"link{i}", issuer=f"link{i - 1}" if i else "trusted", issues="CA:TRUE") for i in range(12)),
    Certificate("by_link7", issuer="link7"),
    Certificate("plain", issuer="plain", more="keyUsage = keyCertSign"),
    Certificate("by_plain", issuer="plain"),
    Certificate("mute", issuer="mute", more="keyUsage = digitalSignature"),
    Certificate("by_mute", issuer="mute"),
    Certificate("by_link11", issuer="link11"),
]
ISSUERS = ["trusted", "somebody"]


def make_certificates(
    folder: Path, certificates: Sequence[Certificate] = CERTIFICATES, issuers: Sequence[str] = ISSUERS
) -> None:
    """All of them. A folder that has them is left as it is."""
    if (folder / "made").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "configuration").write_text(CONFIGURATION)
    (folder / "index.txt").touch()
    for issuer in issuers:
        _make(folder, Certificate(issuer, issuer=issuer, issues="CA:TRUE"))
    for certificate in certificates:
        _make(folder, certificate)
    (folder / "broken.der").write_bytes((folder / f"{certificates[0].name}.der").read_bytes()[:-100])
    (folder / "made").touch()


def _make(folder: Path, certificate: Certificate) -> None:
    name, issuer = certificate.name, certificate.issuer
    (folder / f"{name}.extensions").write_text(certificate.extensions())
    _openssl(folder, f"genpkey -algorithm {certificate.key} -out {name}.key")
    _openssl(folder, f"req -new -key {name}.key -subj /CN={name}.example -out {name}.csr")
    signer = f"-selfsign -keyfile {name}.key" if issuer == name else f"-cert {issuer}.pem -keyfile {issuer}.key"
    dates = f"-startdate {_time(certificate.begin)} -enddate {_time(certificate.end)}"
    request = f"-md {certificate.digest} -in {name}.csr -out {name}.pem -extfile {name}.extensions"
    _openssl(folder, f"ca -config configuration -batch -notext {signer} {dates} {request}")
    _openssl(folder, f"x509 -in {name}.pem -outform DER -out {name}.der")
    _openssl(folder, f"pkey -in {name}.key -outform DER -out {name}.key.der")


def _time(seconds_from_now: int) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds_from_now))


def _openssl(folder: Path, command: str) -> None:
    environment = {**os.environ, "OPENSSL_CONF": str(folder / "configuration")}
    done = subprocess.run(
        ["openssl", *command.split()], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0:
        raise SystemExit(f"openssl {command}\n{done.stderr}")


if __name__ == "__main__":
    make_certificates(Path(sys.argv[1]))
