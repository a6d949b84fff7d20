"""Tokens of joserfc and Authlib, sent to the example `oidc`: each algorithm is accepted, and of changed
tokens none is accepted that joserfc rejects.

    joserfc_tokens.py PROGRAM
"""

import base64
import http.server
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from authlib.jose import jwt as authlib_jwt
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
AUDIENCE = "https://orders.example/"
CHANGES = 400


def generate(algorithm):
    parameters = {"kid": algorithm, "use": "sig", "alg": algorithm}
    if algorithm.startswith("ES"):
        curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]
        return ECKey.generate_key(curve, parameters, private=True)
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519", parameters, private=True)
    return RSAKey.generate_key(2048, parameters, private=True)


keys = {algorithm: generate(algorithm) for algorithm in ALGORITHMS}
key_set = KeySet([key for key in keys.values()])
documents = {}


class Issuer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        document = documents.get(self.path)
        self.send_response(200 if document else 404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
ISSUER = f"http://localhost:{server.server_port}"
documents["/.well-known/openid-configuration"] = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}
documents["/jwks"] = key_set.as_dict(private=False)
threading.Thread(target=server.serve_forever, daemon=True).start()

address = f"127.0.0.1:{free_port()}"
environment = {"OIDC_ISSUER": ISSUER, "OIDC_AUDIENCE": AUDIENCE, "OIDC_ADDR": address, "RUST_LOG": "error"}
service = subprocess.Popen([sys.argv[1]], env=environment, stdout=subprocess.DEVNULL)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def status(token=None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://{address}/me", headers=headers)
    try:
        return opener.open(request, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


def ready():
    for _ in range(100):
        try:
            return status()
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the service is not ready after 10 s")


def claims():
    """Claims of an access token (RFC 9068 section 2.2)."""
    now = int(time.time())
    return {
        "iss": ISSUER, "exp": now + 300, "aud": AUDIENCE, "sub": "batch", "client_id": "batch",
        "iat": now, "jti": f"{random.random()}", "scope": "orders:read",
    }


def sign(algorithm, changed_claims=None, typ="at+jwt"):
    header = {"alg": algorithm, "kid": algorithm, "typ": typ}
    return jwt.encode(header, changed_claims or claims(), keys[algorithm], algorithms=ALGORITHMS)


def accepted_by_joserfc(token):
    registry = jwt.JWTClaimsRegistry(
        leeway=60, iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )
    try:
        registry.validate(jwt.decode(token, key_set, algorithms=ALGORITHMS).claims)
        return True
    except Exception:  # joserfc raises many types for malformed tokens
        return False


def changes():
    """Tokens with one change each: in the claims, in the header, or in the text."""
    now = int(time.time())
    for name, values in {
        "exp": [now - 3600, now - 30, str(now + 300), None, -1, 1e30],
        "nbf": [now - 10, now + 30, now + 3600, "now"],
        "iat": [now - 10, now + 3600, "now"],
        "iss": [ISSUER + "/", ISSUER.upper(), "", None, [ISSUER]],
        "aud": [[AUDIENCE], [AUDIENCE, "other"], "other", [], None, {"a": AUDIENCE}, AUDIENCE + "x"],
        "sub": ["", 1, None],
    }.items():
        for value in values:
            yield sign("ES256", claims() | {name: value})
        yield sign("ES256", {key: value for key, value in claims().items() if key != name})
    for typ in ["JWT", "at+jwt", "application/at+jwt", "AT+JWT"]:
        yield sign("RS256", typ=typ)
    randomness = random.Random(1)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ "
    for _ in range(CHANGES):
        token = list(sign(randomness.choice(["ES256", "EdDSA", "RS256"])))
        position = randomness.randrange(len(token))
        kind = randomness.randrange(3)
        if kind == 0:
            token[position] = randomness.choice(letters)
        elif kind == 1:
            del token[position]
        else:
            token.insert(position, randomness.choice(letters))
        yield "".join(token)
    header, payload, signature = sign("ES256").split(".")
    for other in [{"alg": "none"}, {"alg": "HS256", "kid": "ES256"}, {"alg": "RS256", "kid": "ES256"}]:
        text = base64.urlsafe_b64encode(json.dumps(other).encode()).decode().rstrip("=")
        yield f"{text}.{payload}.{signature}"
        yield f"{text}.{payload}."


def main():
    ready()
    for algorithm in ALGORITHMS:
        assert status(sign(algorithm)) == 200, algorithm
    for algorithm in ["RS256", "ES256", "EdDSA"]:
        header = {"alg": algorithm, "kid": algorithm, "typ": "at+jwt"}
        token = authlib_jwt.encode(header, claims(), keys[algorithm].as_dict(private=True)).decode()
        assert status(token) == 200, f"Authlib, {algorithm}"

    accepted = stricter = total = 0
    for token in changes():
        total += 1
        by_service = status(token) == 200
        by_joserfc = accepted_by_joserfc(token)
        assert by_joserfc or not by_service, f"accepted only by the service: {token}"
        accepted += by_service
        stricter += by_joserfc and not by_service
    assert accepted >= 10, accepted
    print(f"joserfc: {len(ALGORITHMS)} algorithms; of {total} changed tokens, {accepted} are accepted by both, "
          f"{stricter} only by joserfc, none only by the service")


try:
    main()
finally:
    service.kill()
