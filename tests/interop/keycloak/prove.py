"""Tests the example `web_modeler` with a real Keycloak.

    prove.py KEYCLOAK_HOME SERVICE WORK

All processes listen on 127.0.0.1: Keycloak on 18080 and 18443 (TLS), services on 8070 and up.
The script ends each process that it starts, also after a failed check.
"""

import atexit
import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).parent
HOME, SERVICE, WORK = (pathlib.Path(arg).resolve() for arg in sys.argv[1:])

REALM = "/auth/realms/camunda-platform"
ADMIN = "/auth/admin/realms/camunda-platform"
ISSUER = "http://localhost:18080" + REALM
BACKEND = "http://127.0.0.1:18080" + REALM
TOKEN_PATH = REALM + "/protocol/openid-connect/token"
REFRESH, COOLDOWN = 10, 2

NIL = "00000000-0000-0000-0000-000000000000"
NAMES = ["create", "read", "update", "delete"]
CLIENTS = {
    "all": NAMES,
    "writer": ["create", "read", "update"],
    "reader": ["read"],
    "internal": None,  # only for the internal API
    "nobody": None,  # no role, hence no audience
}

checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def equal(found, expected, what):
    check(found == expected, f"{what}: expected {expected!r}, found {found!r}")


# --- processes


class Process:
    """A child process whose output goes to a file. It ends with this script."""

    def __init__(self, name, command, env, folder=None):
        self.log = WORK / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
            )
        atexit.register(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def text(self):
        return self.log.read_text(errors="replace")

    def lines(self, *words):
        return [line for line in self.text().splitlines() if all(word in line for word in words)]


class Keycloak(Process):
    def __init__(self, **env):
        settings = {
            "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
            "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin",
            "KC_HTTP_RELATIVE_PATH": "/auth",
            "KC_HTTP_HOST": "127.0.0.1",
            "KC_HTTP_PORT": "18080",
            "KC_HTTPS_PORT": "18443",
            "KC_HTTPS_CERTIFICATE_FILE": str(WORK / "server.pem"),
            "KC_HTTPS_CERTIFICATE_KEY_FILE": str(WORK / "server.key"),
            "KC_HTTP_MANAGEMENT_HEALTH_ENABLED": "false",
            "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx512m",
        }
        command = [str(HOME / "bin/kc.sh"), "start-dev", "--import-realm"]
        super().__init__("keycloak", command, {**settings, **env})

    def wait(self):
        until(lambda: call("GET", 18080, REALM)[0] == 200, 180, "Keycloak", self)


class Service(Process):
    """The example, configured by Web Modeler's own variables and by files in its folder."""

    def __init__(self, name, port, folder=None, **env):
        self.port = port
        settings = {
            "MODELER_ADDR": f"127.0.0.1:{port}",
            "JWKS_REFRESH_SECONDS": str(REFRESH),
            "JWKS_COOLDOWN_SECONDS": str(COOLDOWN),
            "RUST_LOG": "info",
        }
        super().__init__(name, [str(SERVICE)], {**settings, **env}, folder)
        until(lambda: self.status("GET", "/ready") in (200, 503), 10, name, self)

    def wait(self):
        until(lambda: self.status("GET", "/ready") == 200, 30, f"keys of {self.log.stem}", self)

    def ask(self, method, path, token=None, body=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        return call(method, self.port, path, headers, body)

    def status(self, *args):
        return self.ask(*args)[0]


def until(done, seconds, what, process=None):
    end = time.monotonic() + seconds
    while True:
        try:
            if done():
                return
        except OSError:
            pass
        if process and process.process.poll() is not None:
            raise SystemExit(f"FAILED: {what} ended: see {process.log}\n{process.text()[-3000:]}")
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: {seconds} s were not enough for: {what}")
        time.sleep(0.1)


def call(method, port, path, headers=None, body=None, tls=None):
    """Sends a request to this machine; returns the status, headers and body of the response."""
    if tls:
        connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=tls)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


# --- Keycloak


def token_response(client, host="localhost:18080", port=18080, tls=None, path=TOKEN_PATH, **form):
    form = {"client_id": client, "client_secret": f"{client}-secret", **form}
    form.setdefault("grant_type", "client_credentials")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": host}
    status, _, text = call("POST", port, path, headers, urllib.parse.urlencode(form), tls)
    equal(status, 200, f"token for {client}: {text}")
    return text


def token(client, **more):
    return json.loads(token_response(client, **more))["access_token"]


def part(jwt, index):
    text = jwt.split(".")[index]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


class Admin:
    """Keycloak's admin API, as Camunda's Identity uses it."""

    def ask(self, method, path, body=None):
        form = {"client_id": "admin-cli", "username": "admin", "password": "admin", "grant_type": "password"}
        path_of_master = "/auth/realms/master/protocol/openid-connect/token"
        answer = call(
            "POST", 18080, path_of_master, {"Content-Type": "application/x-www-form-urlencoded"},
            urllib.parse.urlencode(form),
        )
        self.token = json.loads(answer[2])["access_token"]
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        status, headers, text = call(method, 18080, path, headers, json.dumps(body) if body else None)
        check(status in (200, 201, 204), f"{method} {path}: {status} {text}")
        return headers, json.loads(text) if text else None

    def get(self, path):
        return self.ask("GET", path)[1]

    def client(self, name):
        return self.get(f"{ADMIN}/clients?clientId={name}")[0]

    def add_scope(self):
        headers, _ = self.ask("POST", f"{ADMIN}/client-scopes", json.loads((HERE / "scope.json").read_text()))
        scope = headers["Location"].rsplit("/", 1)[1]
        for name in [*CLIENTS, "brief", "login"]:
            self.ask("PUT", f"{ADMIN}/clients/{self.client(name)['id']}/default-client-scopes/{scope}")

    def add_key(self, provider, **config):
        """Adds a key that signs immediately: Keycloak does not publish it before its first use."""
        name = f"{provider}-{'-'.join(config.values())}"
        config = {"enabled": "true", "active": "true", "priority": "100", **config}
        component = {
            "name": name,
            "providerId": provider,
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": self.get(ADMIN)["id"],
            "config": {key: [value] for key, value in config.items()},
        }
        headers, _ = self.ask("POST", f"{ADMIN}/components", component)
        return headers["Location"].rsplit("/", 1)[1]

    def withdraw_key(self, component):
        self.ask("DELETE", f"{ADMIN}/components/{component}")

    def sign_with(self, name, algorithm):
        client = self.client(name)
        client["attributes"]["access.token.signed.response.alg"] = algorithm
        self.ask("PUT", f"{ADMIN}/clients/{client['id']}", client)


# --- tests


def info(version, permissions):
    answer = {"version": version, "authorizedOrganization": NIL}
    if version != "v2":
        answer |= {f"{name}Permission": name in permissions for name in NAMES}
    return json.dumps(answer, separators=(",", ":"))


def documented_lines():
    """Runs the two curl commands of the README, which are those of Web Modeler's documentation."""
    readme = (HERE / "../../../README.md").resolve().read_text()
    lines = [block for block in readme.split("```text\n") if block.startswith("curl")]
    get_token, get_info = (block.split("\n```")[0] for block in lines[:2])
    run = lambda line: subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
    jwt = json.loads(run(get_token))["access_token"]
    equal(run(get_info.replace("eyJhb...", jwt)), info("v1", CLIENTS["writer"]), "the commands of the README")


def machine_clients(service):
    status, _, text = service.ask("POST", "/api/v1/projects", token("all"), {"name": "kept"})
    equal(status, 200, text)
    kept = "/api/v1/projects/" + json.loads(text)["id"]
    for name, permissions in CLIENTS.items():
        jwt = token(name)
        for version in ("v1", "beta", "v2", "v3"):
            status, headers, text = service.ask("GET", f"/api/{version}/info", jwt)
            if permissions is None:
                equal(status, 401, f"{name} {version}")
                check('error="invalid_token"' in headers["WWW-Authenticate"], f"{name}: the challenge")
            elif version == "v3":
                equal(status, 404, f"{name} {version}")
            else:
                equal((status, text), (200, info(version, permissions)), f"{name} {version}")
        _, _, text = service.ask("POST", "/api/v1/projects", token("all"), {"name": "own"})
        own = "/api/v1/projects/" + json.loads(text)["id"]
        for method, path, needed, success in (
            ("POST", "/api/v1/projects", "create", 200),
            ("GET", kept, "read", 200),
            ("PATCH", kept, "update", 200),
            ("DELETE", own, "delete", 204),
            ("GET", "/api/v1/projects/" + NIL, "read", 404),
        ):
            expected = 401 if permissions is None else success if needed in permissions else 403
            status, headers, _ = service.ask(method, path, jwt, {"name": "x"})
            equal(status, expected, f"{name} {method} {path}")
            if status == 403:
                check(f'scope="{needed}:*"' in headers["WWW-Authenticate"], f"{name} {method}: the scope")
    line = service.lines("wrong_audience", "web-modeler-api", "web-modeler-public-api")
    check(line, "a log line names the audience found and the one expected")
    check("aud" not in json.loads(part(token("nobody"), 1)), "without roles there is no audience")


def users(service):
    def login(user, **more):
        form = {"grant_type": "password", "username": user, "password": user, **more}
        return json.loads(token_response("login", **form))

    grace = login("grace", scope="openid")
    audiences = json.loads(part(grace["access_token"], 1))["aud"]
    check({"account", "web-modeler-api", "web-modeler-public-api"} <= set(audiences), f"{audiences}")
    answer = service.ask("GET", "/api/v1/info", grace["access_token"])
    equal((answer[0], answer[2]), (200, info("v1", ["read", "update"])), "a user with the audience")
    ada = login("ada")
    audiences = json.loads(part(ada["access_token"], 1))["aud"]
    check("account" in audiences and "web-modeler-public-api" not in audiences, f"{audiences}")
    equal(service.status("GET", "/api/v1/info", ada["access_token"]), 401, "a user without the audience")
    for kind in ("id_token", "refresh_token"):
        equal(service.status("GET", "/api/v1/info", grace[kind]), 401, kind)
    admin = Admin()
    admin.get(ADMIN)
    equal(service.status("GET", "/api/v1/info", admin.token), 401, "a token of another realm")


def algorithms(service, admin):
    for provider, config in (
        [("rsa-generated", {"algorithm": name}) for name in ("RS384", "RS512", "PS256", "PS384", "PS512")]
        + [("ecdsa-generated", {"ecdsaEllipticCurveKey": name}) for name in ("P-256", "P-384", "P-521")]
        + [("eddsa-generated", {"eddsaEllipticCurveKey": name}) for name in ("Ed448", "Ed25519")]
        + [("rsa-enc-generated", {"algorithm": "RSA-OAEP-256"})]
    ):
        # The last of two equal priorities would be arbitrary.
        priority = "90" if "Ed448" in config.values() else "100"
        admin.add_key(provider, **config, priority=priority)
    for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"):
        admin.sign_with("reader", algorithm)
        jwt = token("reader")
        equal(json.loads(part(jwt, 0))["alg"], algorithm, "the algorithm of the token")
        # The first token of a new key may arrive within the cooldown after the previous key.
        until(lambda: service.status("GET", "/api/v1/info", jwt) == 200, COOLDOWN + 2, algorithm)
        check(True, algorithm)
    admin.sign_with("reader", "RS256")


class Load:
    """Sends valid requests without pause, with tokens that `mint` makes."""

    def __init__(self, service, mint):
        self.service, self.mint, self.stopped = service, mint, False
        self.requests, self.refused = 0, []
        self.threads = [threading.Thread(target=self.work) for _ in range(4)]

    def work(self):
        while not self.stopped:
            status, _, text = self.service.ask("GET", "/api/v1/info", self.mint())
            self.requests += 1
            if status != 200:
                self.refused.append((status, text))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        for thread in self.threads:
            thread.join()


def rotation(service, admin):
    old = [
        component["id"]
        for component in admin.get(f"{ADMIN}/components?type=org.keycloak.keys.KeyProvider")
        if component["providerId"] == "rsa-generated" and component["config"].get("algorithm", ["RS256"]) == ["RS256"]
    ]
    before = token("writer")
    time.sleep(COOLDOWN)
    with Load(service, lambda: token("writer")) as load:
        time.sleep(1)
        admin.add_key("rsa-generated", algorithm="RS256", priority="200")
        time.sleep(3)
    check(load.requests > 50, f"only {load.requests} requests in the rotation")
    equal(load.refused, [], "refused valid requests during a rotation")
    after = token("writer")
    check(part(before, 0) != part(after, 0), "the new key signs")
    equal(service.status("GET", "/api/v1/info", before), 200, "the old key is still published")
    for component in old:
        admin.withdraw_key(component)
    started = time.monotonic()
    until(lambda: service.status("GET", "/api/v1/info", before) == 401, REFRESH + 5, "the end of the old key")
    print(f"a withdrawn key was refused after {time.monotonic() - started:.1f} s, refresh {REFRESH} s")
    equal(service.status("GET", "/api/v1/info", after), 200, "the new key stays")


def outage(service, keycloak):
    jwt = token("writer")
    warned, fetched = len(service.lines("WARN", "key set not fetched")), len(service.lines("key set fetched"))
    with Load(service, lambda: jwt) as load:
        keycloak.stop()
        absent = Service("absent", 8071, SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI=ISSUER)
        equal(absent.status("GET", "/ready"), 503, "ready without an issuer")
        status, headers, _ = absent.ask("GET", "/api/v1/info", jwt)
        equal(status, 503, "a token without keys")
        check(int(headers["Retry-After"]) >= 1, "Retry-After")
        time.sleep(REFRESH + 2)
        keycloak = Keycloak()
        keycloak.wait()
        absent.wait()
        equal(absent.status("GET", "/api/v1/info", token("writer")), 200, "without a restart")
        until(lambda: len(service.lines("key set fetched")) > fetched, 70, "the log line of the recovery")
    check(load.requests > 1000, f"only {load.requests} requests in the outage")
    equal(load.refused, [], "failed valid requests in the outage")
    equal(len(service.lines("WARN", "key set not fetched")) - warned, 1, "one line when it begins")
    equal(len(service.lines("key set fetched")) - fetched, 1, "one line when it is over")
    absent.stop()
    return keycloak


def private_ca():
    url = "https://localhost:18443" + REALM
    context = ssl.create_default_context(cafile=str(WORK / "ca.pem"))
    jwt = token("writer", host="localhost:18443", port=18443, tls=context)
    issuer = {"SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI": url}
    refused = Service("unknown-ca", 8072, **issuer)
    until(lambda: refused.lines("ERROR", 'class="tls"', "ca_certificate", "SSL_CERT_FILE"), 10, "the log line")
    equal(refused.status("GET", "/api/v1/info", jwt), 503, "an unknown CA")
    refused.stop()
    trusted = Service("private-ca", 8072, SSL_CERT_FILE=str(WORK / "ca.pem"), **issuer)
    trusted.wait()
    equal(trusted.status("GET", "/api/v1/info", jwt), 200, "the CA that is set")
    trusted.stop()


def without_scope(service):
    answer = service.ask("GET", "/api/v1/info", token("unmapped"))
    equal((answer[0], answer[2]), (200, info("v1", [])), "without the scope of Identity")
    until(lambda: service.lines("permissions.web-modeler-public-api"), 2, "the log line that names the claim")


def split_name(keycloak):
    keycloak.stop()
    name = "login.example.test:18080"
    keycloak = Keycloak(KC_HOSTNAME=f"http://{name}/auth", KC_HOSTNAME_BACKCHANNEL_DYNAMIC="true")
    keycloak.wait()
    public = f"http://{name}{REALM}"
    jwt = token("writer", host="127.0.0.1:18080")
    equal(json.loads(part(jwt, 1))["iss"], public, "the public name")
    issuer = {"SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI": public}
    backend = {"CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL": BACKEND}
    jwks = {"SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI": BACKEND + "/protocol/openid-connect/certs"}
    for name, env in (("backend", backend), ("jwks", jwks)):
        service = Service(name, 8073, **issuer, **env)
        service.wait()
        answer = service.ask("GET", "/api/v1/info", jwt)
        equal((answer[0], answer[2]), (200, info("v1", CLIENTS["writer"])), name)
        service.stop()
    lost = Service("no-backend", 8073, **issuer)
    until(
        lambda: lost.lines("ERROR", "CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL"), 10,
        "the log line that tells of the backend URL",
    )
    equal(lost.status("GET", "/api/v1/info", jwt), 503, "without the backend URL")
    lost.stop()
    keycloak.stop()


def mounted(issuer):
    """Creates a folder with the file that Helm renders and mounts."""
    folder = WORK / "home"
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "config/application.yaml").write_text(f"""\
camunda:
  identity:
    base-url: "http://camunda-identity:80"
    issuer: "{issuer}"
    issuerBackendUrl: "{BACKEND}"
    type: "KEYCLOAK"

  modeler:
    pusher:
      host: "camunda-web-modeler-websockets"
      port: 80
    security:
      jwt:
        issuer:
          backend-url: "{BACKEND}"
        audience:
          internal-api: "web-modeler-api"
          public-api: "web-modeler-public-api"
    server:
      url: "http://localhost:8070"

spring:
  mail:
    host: ""
    properties:
      mail.smtp.auth: false
  security:
    oauth2:
      resourceserver:
        jwt:
          issuer-uri: "{issuer}"
          jwk-set-uri: "${{KEY_SET:{BACKEND}/protocol/openid-connect/certs}}"
""")
    return folder


def mounted_file():
    """Tests a service with all settings in a mounted file, and a service without an issuer."""
    service = Service("mounted", 8074, folder=mounted(ISSUER))
    service.wait()
    check(service.lines("issuer configured", "application.yaml, line 31", ISSUER), "the line of the settings")
    for client, permissions in CLIENTS.items():
        status, _, body = service.ask("GET", "/api/v1/info", token(client))
        if permissions is None:
            equal(status, 401, f"mounted: {client}")
        else:
            equal((status, body), (200, info("v1", permissions)), f"mounted: {client}")
    for path in ("/health/readiness", "/health/liveness"):
        equal(service.status("GET", path), 200, path)
    service.stop()
    lost = Process("no-issuer", [str(SERVICE)], {"MODELER_ADDR": "127.0.0.1:8074"}, mounted(""))
    equal(lost.process.wait(10), 1, "exit code without an issuer")
    check(lost.lines("application.yaml, line 32 is set, but no issuer is"), lost.text())


def record():
    """Records responses of Keycloak. A test compares them with those of the development issuer."""
    folder = WORK / "recorded"
    folder.mkdir()
    # The recorded token is harmless: the keys that signed it exist in this run only.
    response = token_response("writer")
    discovery = call("GET", 18080, REALM + "/.well-known/openid-configuration", {"Host": "localhost:18080"})[2]
    jwks = call("GET", 18080, REALM + "/protocol/openid-connect/certs")[2]
    (folder / "token-response.json").write_text(response + "\n")
    (folder / "discovery.json").write_text(discovery + "\n")
    (folder / "jwks.json").write_text(jwks + "\n")


def make_certificates():
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=WORK, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=Private CA", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (WORK / "server.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "server.ext", "-out", "server.pem")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("FAILED: terminated"))
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    shutil.rmtree(HOME / "data", ignore_errors=True)
    (HOME / "data/import").mkdir(parents=True)
    shutil.copy(HERE / "realm.json", HOME / "data/import")
    make_certificates()
    keycloak = Keycloak()
    keycloak.wait()
    admin = Admin()
    admin.add_scope()
    record()
    service = Service("service", 8070, SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI=ISSUER)
    service.wait()

    brief, minted = token("brief"), time.monotonic()
    equal(service.status("GET", "/api/v1/info", brief), 200, "a token that is valid for one second, within the leeway")
    for step in (
        documented_lines,
        lambda: machine_clients(service),
        lambda: users(service),
        lambda: without_scope(service),
        lambda: algorithms(service, admin),
        lambda: rotation(service, admin),
        mounted_file,
        private_ca,
    ):
        step()
    keycloak = outage(service, keycloak)
    # The token is valid for one second, and the leeway is one minute.
    time.sleep(max(0, minted + 62 - time.monotonic()))
    equal(service.status("GET", "/api/v1/info", brief), 401, "a token that has expired")
    service.stop()
    split_name(keycloak)
    (WORK / "summary").write_text(f"{checks} checks passed\n")


main()
