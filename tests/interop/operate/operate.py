"""Runs each query of the dashboard against a Prometheus that scrapes the example under load.

    operate.py SERVICE WORK

Three services run: one with the development issuer, one that trusts this issuer and asks a stand-in
for Management Identity for permissions, and one whose issuer does not answer. All listen on 127.0.0.1,
on free ports. The script ends each process that it starts.
"""

import atexit
import base64
import http.client
import http.server
import json
import math
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

EXAMPLES = pathlib.Path("examples/operate")
SERVICE, WORK = (pathlib.Path(arg).resolve() for arg in sys.argv[1:])
REALM = "/auth/realms/camunda-platform"
ALERTS = re.findall(r"alert: (\w+)", (EXAMPLES / "alerts.yml").read_text())
SECONDS = 90


def check(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(name, command, **env):
    with (WORK / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def stop():
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    atexit.register(stop)


def start_service(name, port, management, **env):
    settings = {
        "MODELER_ADDR": f"127.0.0.1:{port}",
        "MANAGEMENT_SERVER_PORT": str(management),
        "JWKS_REFRESH_SECONDS": "2",
        "JWKS_COOLDOWN_SECONDS": "1",
        "RUST_LOG": "warn",
    }
    start(name, [str(SERVICE)], **settings, **env)
    until(lambda: call(management, "/health/liveness")[0] == 200, name)


def until(done, what):
    end = time.monotonic() + SECONDS
    while True:
        try:
            if done():
                return
        except (OSError, http.client.HTTPException):
            pass
        check(time.monotonic() < end, f"{what} within {SECONDS} s; the logs are in {WORK}")
        time.sleep(0.2)


def call(port, path, headers={}, body=None, method=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method or ("POST" if body else "GET"), path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Identity(http.server.BaseHTTPRequestHandler):
    """Stand-in for Management Identity: it refuses the client `nobody`, and fails now and then."""

    calls = 0

    def do_GET(self):
        Identity.calls += 1
        token = self.headers["authorization"].split(" ")[1]
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        if Identity.calls % 5 == 0:
            self.send_error(500)
        elif claims["azp"] == "nobody":
            self.send_error(401)
        else:
            body = b'["create:*","read:*"]'
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def new_token(issuer, client):
    form = {"client_id": client, "client_secret": f"{client}-secret", "grant_type": "client_credentials"}
    kind = {"content-type": "application/x-www-form-urlencoded"}
    path = REALM + "/protocol/openid-connect/token"
    status, body = call(issuer, path, kind, urllib.parse.urlencode(form))
    check(status == 200, f"a token of {client}: {status}")
    return json.loads(body)["access_token"]


def of_unknown_key(token):
    head, rest = token.split(".", 1)
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    header["kid"] = os.urandom(8).hex()
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{head}.{rest}"


def load(issuer, services, end):
    """Sends 40 requests per second at most, with valid tokens, invalid tokens and none."""
    while not end.is_set():
        tokens = [new_token(issuer, client) for client in ("all", "reader", "nobody", "internal")]
        for _ in range(5):
            for token in [*tokens, of_unknown_key(tokens[0]), of_unknown_key(tokens[0]), "junk", None]:
                headers = {"authorization": f"Bearer {token}"} if token else {}
                for service in services:
                    call(service, "/api/v1/info", headers)
                call(services[0], "/api/v1/projects/x", headers, method="DELETE")
                end.wait(0.075)


class Prometheus:
    def __init__(self, port, targets):
        self.port = port
        config = (EXAMPLES / "prometheus.yml").read_text()
        for old, new in (("15s", "1s"), ('"localhost:8091"', ", ".join(f'"localhost:{one}"' for one in targets))):
            check(old in config, f"prometheus.yml has {old}")
            config = config.replace(old, new)
        (WORK / "prometheus.yml").write_text(config)
        shutil.copy(EXAMPLES / "alerts.yml", WORK)
        start("prometheus", [
            "prometheus",
            f"--config.file={WORK}/prometheus.yml",
            f"--storage.tsdb.path={WORK}/storage",
            f"--web.listen-address=127.0.0.1:{port}",
        ])
        until(lambda: call(port, "/-/ready")[0] == 200, "Prometheus")

    def get(self, path, **parameters):
        status, body = call(self.port, f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        check(status == 200, f"{path} {parameters}: {status} {body[:300]}")
        return json.loads(body)["data"]

    def series(self, query):
        """The labels of the series that have a value."""
        result = self.get("query", query=query)["result"]
        return [one["metric"] for one in result if not math.isnan(float(one["value"][1]))]

    def issuers_of(self, alert):
        """The issuers for which the alert is pending or fires."""
        labels = [one["labels"] for one in self.get("alerts")["alerts"]]
        return {one["issuer"] for one in labels if one["alertname"] == alert}


def concrete(text):
    """A query with values in place of Grafana's variables."""
    for variable, value in (("$__rate_interval", "1m"), ("$job", ".*"), ("$instance", ".*")):
        text = text.replace(variable, value)
    check("$" not in text, f"a variable without a value in {text}")
    return text


def panels_return_series(prometheus, dashboard):
    missing = {}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
            missing[panel["title"], target["refId"]] = (concrete(target["expr"]), labels)
    count = len(missing)
    check(count > 10, f"{count} queries")

    def all_found():
        for key, (query, labels) in list(missing.items()):
            series = prometheus.series(query)
            if series and all(label in one for one in series for label in labels):
                del missing[key]
        return not missing

    try:
        until(all_found, "series")
    except SystemExit:
        raise SystemExit(f"FAILED: no series, or without the labels of the legend: {missing}") from None
    return count


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    tests = (EXAMPLES / "alerts.test.yml").read_text()
    for alert in ALERTS:
        for outcome, what in ((r" \[\]", "does not fire"), (r"\n +- exp_labels", "fires")):
            case = rf"alertname: {alert}\n +exp_alerts:{outcome}"
            check(re.search(case, tests), f"no test in which {alert} {what}")

    own, granting, failing, issuer, closed, prometheus, *management = free_ports(9)
    identity = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Identity)
    threading.Thread(target=identity.serve_forever, daemon=True).start()
    variable = "SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI"
    start_service("own", own, management[0], DEV_ISSUER_ADDR=f"127.0.0.1:{issuer}")
    start_service("granting", granting, management[1], **{
        variable: f"http://localhost:{issuer}{REALM}",
        "CAMUNDA_IDENTITY_TYPE": "GENERIC",
        "CAMUNDA_IDENTITY_BASEURL": f"http://127.0.0.1:{identity.server_port}",
        "CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API": "web-modeler-public-api",
    })
    unreachable = f"http://localhost:{closed}/realm"
    start_service("failing", failing, management[2], **{variable: unreachable})
    prometheus = Prometheus(prometheus, management)

    end = threading.Event()
    sender = threading.Thread(target=load, args=(issuer, [own, granting, failing], end))
    sender.start()
    try:
        dashboard = json.loads((EXAMPLES / "dashboard.json").read_text())
        count = panels_return_series(prometheus, dashboard)
        check(sender.is_alive(), "the load ended early")
    finally:
        end.set()
        sender.join()
    for variable in dashboard["templating"]["list"][1:]:
        label = re.search(r", (\w+)\)$", variable["query"]["query"])[1]
        values = prometheus.get(f"label/{label}/values", **{"match[]": "modeler_auth_keys"})
        check(values, f"values of the variable {label}")

    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    check(len(rules) == len(ALERTS) + 1, f"{len(rules)} rules")
    for rule in rules:
        check(rule["health"] == "ok", f"{rule['name']}: {rule}")
    for alert in ("ModelerAuthNoKeys", "ModelerAuthIssuerFailing"):
        until(lambda: prometheus.issuers_of(alert), f"the alert {alert}")
        issuers = prometheus.issuers_of(alert)
        check(issuers == {unreachable}, f"{alert} is active for {issuers}")
    print(f"{len(ALERTS)} alerts fire and stay silent as tested, {count} queries return series")


main()
