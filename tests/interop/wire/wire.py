"""Sends requests to the example over a socket, since HTTP clients would correct some of them.

    wire.py EXAMPLE

The names of the cases start with the ids of SECURITY.md.
"""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

ENVIRONMENT = {**os.environ, "MODELER_ADDR": "127.0.0.1:0", "DEV_ISSUER_ADDR": "127.0.0.1:0"}
example = subprocess.Popen([sys.argv[1]], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def printed(pattern):
    for line in example.stdout:
        if found := re.search(pattern, line):
            return found.group(1)
    raise SystemExit(f"the example does not print {pattern}")


def exchange(*requests):
    """Sends `requests` over one connection in one piece; returns the statuses of the responses."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"".join(requests))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


def request(*lines, target=b"/api/v1/info", method=b"GET", version=b"HTTP/1.1", end=b"\r\n"):
    return end.join([method + b" " + target + b" " + version, b"host: x", *lines, b"", b""])


def close(*lines, **how):
    return request(*lines, b"connection: close", **how)


try:
    port = int(printed(r"^Service: +http://[^:]+:(\d+)$"))
    issuer = printed(r"^Development issuer: +(\S+)")
    form = {"client_id": "writer", "client_secret": printed(r"^writer +(\S+)"),
            "grant_type": "client_credentials"}
    place = issuer + "/auth/realms/camunda-platform/protocol/openid-connect/token"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(place, urllib.parse.urlencode(form).encode()) as answer:
        token = json.load(answer)["access_token"].encode()

    bearer = b"authorization: Bearer " + token
    head, tail = token[:40], token[40:]
    hostile = bytes(byte for byte in range(0x80, 0x100))
    cases = {
        # Valid requests, which show that the other cases do not fail for another reason.
        "r1 a token": ([200], close(bearer)),
        "r1 the scheme in another case": ([200], close(b"authorization: bEARER " + token)),
        "r1 the name in another case": ([200], close(b"AUTHORIZATION: Bearer " + token)),
        "r2 several spaces": ([200], close(b"authorization:    Bearer   " + token)),
        "r2 white space after the value": ([200], close(bearer + b" \t ")),
        "r2 no white space after the name": ([200], close(b"authorization:Bearer " + token)),
        "r1 HTTP/1.0": ([200], close(bearer, version=b"HTTP/1.0")),
        "r1 a URI with a host": ([200], close(bearer, target=b"http://x/api/v1/info")),
        "r4 no token": ([401], close()),
        "r4 an empty value": ([401], close(b"authorization:")),
        "r4 only the scheme": ([400], close(b"authorization: Bearer")),
        "a60 twice": ([400], close(bearer, bearer)),
        "a60 with an empty one": ([400], close(b"authorization:", bearer)),
        "a60 in two cases": ([400], close(bearer, b"Authorization: Basic YTpi")),
        "a61 a list": ([400], close(bearer + b", Bearer " + token)),
        "a62 a tab": ([400], close(b"authorization: Bearer\t" + token)),
        "a62 a space before the colon": ([400], close(b"authorization : Bearer " + token)),
        "a62 folded": ([400], close(b"authorization: Bearer", b" " + token)),
        "a62 folded in the token": ([400], close(b"authorization: Bearer " + head, b"\t" + tail)),
        "a62 a carriage return": ([400], close(b"authorization: Bearer " + head + b"\r" + tail)),
        "a62 a null byte": ([400], close(b"authorization: Bearer " + head + b"\0" + tail)),
        "a62 a line that starts with a space": ([400], close(b" " + bearer)),
        "a63 bytes beyond ASCII": ([400], close(bearer + hostile)),
        "a63 bytes beyond ASCII in the scheme": ([401], close(b"authorization: B\xe9arer " + token)),
        "a63 bytes beyond ASCII in the name": ([400], close(b"authorizatio\xee: Bearer " + token)),
        "a36 a token above the limit of the crate": ([401], close(bearer + b"A" * 20_000)),
        "a36 a header above the limit of the server": ([431], close(bearer + b"A" * 2_000_000)),
        "a64 in the query": ([401], close(target=b"/api/v1/info?access_token=" + token)),
        "a64 in a cookie": ([401], close(b"cookie: authorization=Bearer " + token)),
        "a64 in a header for a proxy": ([401], close(b"proxy-authorization: Bearer " + token)),
        "a64 in a trailer": ([401], close(
            b"trailer: authorization", b"transfer-encoding: chunked", method=b"POST",
            target=b"/api/v1/projects") + b"0\r\n" + bearer + b"\r\n\r\n"),
        "a64 in the body": ([401], close(b"content-length: %d" % len(bearer), method=b"POST",
            target=b"/api/v1/projects") + bearer),
        "a65 a name with a prefix": ([401], close(b"x-authorization: Bearer " + token)),
        "a65 a name with an underscore": ([401], close(b"authorization_: Bearer " + token)),
        # Several requests on one connection, each with its own answer.
        "a66 with and without": ([200, 401], request(bearer), close()),
        "a66 without and with": ([401, 200], request(), close(bearer)),
        "a66 a request in a body": ([401, 200], request(
            b"content-length: %d" % len(request(bearer))) + request(bearer), close(bearer)),
        "a66 two lengths": ([400], close(
            bearer, b"content-length: 0", b"content-length: 5") + b"GET /"),
    }
    for target in (b"//api/v1/info", b"/api//v1/info", b"/api/v1/./info", b"/api/v1/info/",
                   b"/api/v1/info%00", b"/api/v1/%69nfo", b"/API/v1/info", b"/api/v1/info;x",
                   b"/api/v1/projects/../info", b"/ready/../api/v1/info", b"/api/v1/info#x"):
        cases["a66 " + target.decode()] = (None, close(target=target))
    for method in (b"get", b"OPTIONS", b"TRACE", b"CONNECT", b"PROPFIND", b"G\xc9T"):
        cases["a66 " + repr(method)] = (None, close(method=method))
    for name, (expected, *requests) in cases.items():
        found = exchange(*requests)
        # The status is not fixed, but no request may get 200.
        fits = all(status >= 400 for status in found) if expected is None else found == expected
        if not fits:
            raise SystemExit(f"FAILED: {name}: expected {expected}, found {found}")
    print(f"{len(cases)} cases passed")
finally:
    example.terminate()
    example.wait(10)
