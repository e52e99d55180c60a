# SPDX-License-Identifier: Apache-2.0
"""Certificates of a secure cluster, in its folder tls/: a CA (ca.pem, ca.key), the server's key store, a client's certificate (client.pem, client.key)."""
import fcntl
import subprocess

from .settings import Failure, write

PASSWORD = "changeit"  # of the key stores
USER, SECRET = "weir", "weir-secret"  # of Kafka's SASL; Cassandra begins with its cassandra/cassandra


def folder(settings):
    return settings.folder / "tls"


def run(where, *command):
    done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"{command[0]} {command[1]}: {done.stderr or done.stdout}")


def sign(where, name, subject, extensions):
    """A key name.key and its certificate name.pem, signed by the CA."""
    write(where / f"{name}.cnf", extensions)
    run(where, "openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
    run(where, "openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "365",
        "-extfile", f"{name}.cnf", "-out", f"{name}.pem")


def make(settings):
    """Makes them once, also when two engines ask at the same time."""
    where = folder(settings)
    where.mkdir(parents=True, exist_ok=True)
    with open(where / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (where / "trust.p12").exists():
            make_all(settings, where)


def make_all(settings, where):
    run(where, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365", "-subj", "/CN=weir test CA", "-keyout", "ca.key", "-out", "ca.pem")
    names = ",".join(["DNS:localhost"] + [f"IP:{address}" for address in settings.hosts])
    sign(where, "server", "/CN=localhost", f"subjectAltName={names}\n")
    sign(where, "client", f"/CN={USER}", "extendedKeyUsage=clientAuth\n")
    run(where, "openssl", "pkcs12", "-export", "-name", "server", "-in", "server.pem", "-inkey", "server.key", "-certfile", "ca.pem",
        "-passout", f"pass:{PASSWORD}", "-out", "server.p12")
    run(where, "keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", "trust.p12", "-storetype", "PKCS12",
        "-storepass", PASSWORD)
