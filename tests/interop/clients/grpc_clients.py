"""The example `tonic`, called with grpcio and with grpcurl: what each client may do, and what the
rejections say.

    grpc_clients.py PROGRAM GRPCURL
"""

import json
import re
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

program, grpcurl = sys.argv[1:]
sys.path.append("examples/tonic")  # where projects.proto is found
messages, services = grpc.protos_and_services("projects.proto")

INVALID = 'Bearer error="invalid_token", error_description="The token is not valid for this service"'
MISSING_SCOPE = (
    'Bearer error="insufficient_scope", '
    'error_description="The token does not permit this operation", scope="{}"'
)


def free_address():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{chosen.getsockname()[1]}"


address, issuer = free_address(), free_address()
server = subprocess.Popen([program, address, issuer], stdout=subprocess.DEVNULL)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def token(client):
    url = f"http://{issuer}/auth/realms/camunda-platform/protocol/openid-connect/token"
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": f"{client}-secret"}
    with opener.open(url, urllib.parse.urlencode(form).encode(), timeout=20) as response:
        return json.load(response)["access_token"]


def channel(access_token=None):
    """A channel whose credentials add the token to each call."""
    if access_token is None:
        return grpc.insecure_channel(address)
    credentials = grpc.composite_channel_credentials(
        grpc.local_channel_credentials(grpc.LocalConnectionType.LOCAL_TCP),
        grpc.access_token_call_credentials(access_token),
    )
    return grpc.secure_channel(address, credentials)


def rejection(call, *arguments):
    """Code, message and challenge of a rejected call."""
    try:
        answer = call(*arguments, timeout=20)
    except grpc.RpcError as error:
        return error.code().name, error.details(), dict(error.trailing_metadata()).get("www-authenticate")
    raise AssertionError(f"not rejected: {answer}")


def calls_of_grpcio(tokens):
    with channel() as anonymous:
        request = health_pb2.HealthCheckRequest(service="modeler.v1.Projects")
        health = health_pb2_grpc.HealthStub(anonymous).Check(request, timeout=20)
        assert health.status == health_pb2.HealthCheckResponse.SERVING, health

    create = messages.CreateProjectRequest(name="Claims handling")
    for sent, expected in [
        (None, ("UNAUTHENTICATED", "A Bearer token is required", "Bearer")),
        ("eyJhb", ("UNAUTHENTICATED", "The token is not valid for this service", INVALID)),
        (tokens["internal"], ("UNAUTHENTICATED", "The token is not valid for this service", INVALID)),
        (tokens["reader"],
         ("PERMISSION_DENIED", "The token does not permit this operation", MISSING_SCOPE.format("create:*"))),
    ]:
        with channel(sent) as rejected:
            assert rejection(services.ProjectsStub(rejected).CreateProject, create) == expected, expected
            add = services.FilesStub(rejected).AddFiles
            assert rejection(add, iter([messages.File(project_id="0", name="a.bpmn")])) == expected, expected

    with channel(tokens["writer"]) as writer, channel(tokens["reader"]) as reader:
        project = services.ProjectsStub(writer).CreateProject(create, timeout=20)
        assert project.name == "Claims handling", project
        found = services.ProjectsStub(reader).GetProject(messages.GetProjectRequest(id=project.id), timeout=20)
        assert found == project, found

        names = ["claim.bpmn", "approval.dmn"]
        files = [messages.File(project_id=project.id, name=name) for name in names]
        watch = messages.WatchFilesRequest(project_id=project.id)
        watched = services.FilesStub(reader).WatchFiles(watch, timeout=20)
        added = services.FilesStub(writer).AddFiles(iter(files), timeout=20)
        assert added.added == 2, added
        assert [next(watched), next(watched)] == files
        watched.cancel()

        delete = messages.DeleteFilesRequest(project_id=project.id)
        assert rejection(services.FilesStub(writer).DeleteFiles, delete) == (
            "PERMISSION_DENIED", "The token does not permit this operation", MISSING_SCOPE.format("delete:*"))


def call_of_grpcurl(method, messages=(), access_token=None, *options):
    """Exit status, standard output and standard error. The token is not among the arguments."""
    header = ["-expand-headers", "-H", "authorization: Bearer ${TOKEN}"] if access_token else []
    return subprocess.run(
        [grpcurl, "-plaintext", "-max-time", "20", *header, *options, "-d", "@", address, method],
        input="".join(json.dumps(message) for message in messages), env={"TOKEN": access_token or ""},
        text=True, capture_output=True, timeout=60,
    )


def calls_of_grpcurl(tokens):
    """grpcurl reads the services by reflection. Its exit status is 64 and the code."""
    health = call_of_grpcurl("grpc.health.v1.Health/Check", [{"service": "modeler.v1.Files"}])
    assert json.loads(health.stdout) == {"status": "SERVING"}, health

    create, name = "modeler.v1.Projects/CreateProject", {"name": "Claims handling"}
    for sent, code, message, challenge in [
        (None, 16, "A Bearer token is required", "Bearer"),
        ("eyJhb", 16, "The token is not valid for this service", INVALID),
        (tokens["reader"], 7, "The token does not permit this operation", MISSING_SCOPE.format("create:*")),
    ]:
        rejected = call_of_grpcurl(create, [name], sent, "-v", "-format-error")
        assert rejected.returncode == 64 + code, rejected
        assert json.loads(rejected.stderr) == {"code": code, "message": message}, rejected
        challenges = re.findall("^www-authenticate: (.*)$", rejected.stdout, re.MULTILINE)
        assert challenges == [challenge], rejected

    created = call_of_grpcurl(create, [name], tokens["writer"])
    assert created.returncode == 0, created
    project = json.loads(created.stdout)
    assert project["name"] == name["name"], project
    files = [{"projectId": project["id"], "name": name} for name in ["claim.bpmn", "approval.dmn"]]
    added = call_of_grpcurl("modeler.v1.Files/AddFiles", files, tokens["writer"])
    assert json.loads(added.stdout) == {"added": 2}, added
    # The stream does not end, so the time ends it.
    watch = [{"projectId": project["id"]}]
    watched = call_of_grpcurl("modeler.v1.Files/WatchFiles", watch, tokens["reader"], "-max-time", "1")
    assert watched.returncode == 64 + 4, watched
    assert json.loads("[" + watched.stdout.replace("}\n{", "},{") + "]") == files, watched


try:
    with channel() as first:  # the issuer starts before the services
        grpc.channel_ready_future(first).result(timeout=20)
    clients = {client: token(client) for client in ["internal", "reader", "writer"]}
    calls_of_grpcio(clients)
    calls_of_grpcurl(clients)
finally:
    server.kill()
print("grpcio and grpcurl: health without a token, calls and streams with one; "
      "16 without a valid token, 7 without the permission, with the challenge of each")
