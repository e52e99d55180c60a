#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may ask: static tokens, and JWTs that PyJWT signs."""
import hashlib
import hmac
import http.server
import json
import threading
import time
import unittest
from base64 import urlsafe_b64encode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from serving import Scenario, Server, pipeline, weir

RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
PROTECTED = ("/metrics", "/api/v1/status", "/api/v1/tables", "/api/v1/stream", "/api/v1/dead", "/api/v1/tables/metric_event_by_id/rows",
             "/api/v1/metrics/id/x/year/2024/month/1/2")


def jwks(*keys):
    out = []
    for kid, key in keys:
        algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
        out.append(dict(json.loads(algorithm.to_jwk(key.public_key())), kid=kid, use="sig"))
    return json.dumps({"keys": out})


def signed(key=RSA, alg="RS256", kid="one", leave=(), **claims):
    now = int(time.time())
    body = dict({"iss": "https://issuer.test", "aud": "weir", "sub": "ada", "role": "reader", "exp": now + 600}, **claims)
    return jwt.encode({k: v for k, v in body.items() if k not in leave}, key, algorithm=alg, headers={"kid": kid} if kid else None)


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def section(jwt_keys=None, tokens=()):
    text = "http:\n"
    if tokens:
        lines = [f"    - {{name: {n}, sha256: {hashlib.sha256(t.encode()).hexdigest()}, role: {r}}}\n" for n, t, r in tokens]
        text += "  tokens:\n" + "".join(lines)
    if jwt_keys:
        text += f"  jwt: {{issuer: 'https://issuer.test', audience: weir, keys: '{jwt_keys}', role_claim: role}}\n"
    return text


class Issuer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        body = self.server.keys.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Auth(Scenario):
    def status(self, server, token=None, path="/api/v1/status", scheme="Bearer"):
        answer = server.get(path, **({"Authorization": f"{scheme} {token}"} if token is not None else {}))
        if answer.status == 401:
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
        if answer.status in (401, 403):
            self.assertEqual(answer.type, "application/problem+json")
        return answer.status

    def test_tokens(self):
        tokens = [("grafana", "read-me", "reader"), ("loader", "write-me", "operator")]
        with Server(self.folder, pipeline(self.folder, more=section(tokens=tokens))) as server:
            for path in PROTECTED:
                self.assertEqual(self.status(server, path=path), 401, path)
                self.assertEqual(self.status(server, "wrong", path), 401, path)
            for path in ("/livez", "/readyz", "/", "/docs", "/openapi.json"):
                self.assertEqual(self.status(server, path=path), 200, path)
            self.assertEqual(self.status(server, "read-me"), 200)
            self.assertEqual(self.status(server, "write-me"), 200)
            self.assertEqual(self.status(server, "read-me", "/api/v1/metrics/id/x/year/2024/month/1/2"), 404)
            self.assertEqual(self.status(server, "read-me", scheme="bearer"), 200)
            for token, scheme in (("read-me", "Basic"), ("", "Bearer"), ("read-me2", "Bearer"), ("x" * 20000, "Bearer"), ("a.b.c", "Bearer")):
                self.assertEqual(self.status(server, token, scheme=scheme), 401)
            self.assertEqual(server.post([]).status, 401)
            self.assertEqual(server.post([], Authorization="Bearer read-me").status, 403)
            self.assertEqual(server.post([], Authorization="Bearer write-me").status, 202)
            self.assertEqual(server.post(b"x" * 2000000, Authorization="Bearer read-me").status, 403)

    def check_jwts(self, server, alg="RS256", key=RSA, kid="one"):
        now = int(time.time())
        good = dict(key=key, alg=alg, kid=kid)
        self.assertEqual(self.status(server, signed(**good)), 200)
        self.assertEqual(self.status(server, signed(**good, aud=["other", "weir"])), 200)
        self.assertEqual(self.status(server, signed(**good, role=["x", "operator"])), 200)
        self.assertEqual(self.status(server, signed(**good, exp=now - 20, nbf=now + 20)), 200)  # leeway
        for role in ("admin", "Reader", 7, None, ["x"]):
            self.assertEqual(self.status(server, signed(**good, role=role)), 403, role)
        self.assertEqual(self.status(server, signed(**good, leave=("role",))), 403)
        for wrong in (dict(iss="https://other.test"), dict(aud="other"), dict(exp=now - 120), dict(nbf=now + 600), dict(exp="soon"), dict(nbf="x"),
                      dict(leave=("exp",)), dict(leave=("iss",)), dict(leave=("aud",))):
            try:
                token = signed(**good, **wrong)
            except TypeError:  # what PyJWT does not sign
                continue
            self.assertEqual(self.status(server, token), 401, wrong)
        self.assertEqual(self.status(server, signed(key=OTHER, kid=kid)), 401)
        head, body, mark = signed(**good).split(".")
        for token in (f"{head}.{body}.", f"{head}.{body}.{mark[:-4]}", f"{head}.{body}x.{mark}", f".{body}.{mark}", f"{head}.{body}.{mark}.{mark}",
                      f"{head}.{body}.{'A' * len(mark)}", "..", f"{head}.{body}"):
            self.assertEqual(self.status(server, token), 401, token)
        self.assertEqual(server.post([], Authorization=f"Bearer {signed(**good)}").status, 403)
        self.assertEqual(server.post([], Authorization=f"Bearer {signed(**good, role='operator')}").status, 202)

    def forged(self, server, secret):
        """No signature at all, and the public key taken for a secret."""
        claims = {"iss": "https://issuer.test", "aud": "weir", "role": "operator", "exp": int(time.time()) + 600}
        self.assertEqual(self.status(server, jwt.encode(claims, None, algorithm="none", headers={"kid": "one"})), 401)

        def part(value):
            return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
        text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
        mark = urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")).rstrip(b"=").decode()
        self.assertEqual(self.status(server, f"{text}.{mark}"), 401)
        self.assertEqual(self.status(server, signed(key="s" * 32, alg="HS256")), 401)

    def test_jwts_by_jwks_file(self):
        (self.folder / "keys.json").write_text(jwks(("one", RSA), ("two", EC)))
        with Server(self.folder, pipeline(self.folder, more=section("keys.json", [("t", "read-me", "reader")]))) as server:
            self.check_jwts(server)
            self.check_jwts(server, "ES256", EC, "two")
            self.forged(server, pem(RSA))
            self.assertEqual(self.status(server, "read-me"), 200)
            self.assertEqual(self.status(server, signed(kid=None)), 200)  # the only RSA key
            self.assertEqual(self.status(server, signed(kid="three")), 401)
            self.assertEqual(self.status(server, signed(kid="two")), 401)
            self.assertEqual(self.status(server, signed(alg="RS512")), 401)

    def test_jwts_by_pem(self):
        (self.folder / "key.pem").write_bytes(pem(EC) + pem(RSA))
        with Server(self.folder, pipeline(self.folder, more=section("key.pem"))) as server:
            self.check_jwts(server)
            self.check_jwts(server, "ES256", EC, None)
            self.forged(server, pem(RSA))

    def test_jwts_by_url(self):
        issuer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
        issuer.keys, issuer.asked = jwks(("one", RSA)), 0
        threading.Thread(target=issuer.serve_forever, daemon=True).start()
        self.addCleanup(issuer.server_close)
        self.addCleanup(issuer.shutdown)
        url = f"http://127.0.0.1:{issuer.server_address[1]}/keys"
        with Server(self.folder, pipeline(self.folder, more=section(url))) as server:
            self.check_jwts(server)
            self.assertEqual(issuer.asked, 1)
            for i in range(20):  # unknown keys do not make it ask again and again
                self.assertEqual(self.status(server, signed(kid=f"x{i}")), 401)
            self.assertEqual(issuer.asked, 1)
            self.assertEqual(self.status(server, signed()), 200)

    def test_what_cannot_start(self):
        (self.folder / "empty.json").write_text('{"keys": []}')
        (self.folder / "small.pem").write_bytes(pem(rsa.generate_private_key(65537, 1024)))
        for keys in ("missing.json", "empty.json", "small.pem"):
            done = weir("run", pipeline(self.folder, more=section(keys)), "--data", self.folder / "d", "--listen", "127.0.0.1:0", expect=78)
            self.assertIn(keys, done.err)
        for address in ("0.0.0.0:0", "[::]:0"):
            done = weir("run", pipeline(self.folder), "--data", self.folder / "d", "--listen", address, "--for", "1s", expect=78)
            self.assertIn(address, done.err)
        more = section(tokens=[("t", "read-me", "reader")])
        weir("run", pipeline(self.folder, more=more), "--data", self.folder / "e", "--listen", "0.0.0.0:0", "--for", "100 ms", "--no-feed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
