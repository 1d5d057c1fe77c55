"""A caller in Python that knows Beacon by its protos alone.

usage: guard_client.py GENERATED ADDRESS AGENT COMMAND [--token T] [--ca FILE [--cert FILE --key FILE]]
Prints one JSON object: the answer, or {"error": <gRPC status>, "message": ...}.
"""

import argparse
import json
import pathlib
import sys

import grpc

parser = argparse.ArgumentParser()
for name in ("generated", "address", "agent", "command"):
    parser.add_argument(name)
for name in ("--token", "--ca", "--cert", "--key"):
    parser.add_argument(name)
given = parser.parse_args()
sys.path.insert(0, given.generated)

from beacon.v1 import action_pb2, common_pb2, decision_service_pb2, decision_service_pb2_grpc  # noqa: E402

proposal = decision_service_pb2.Proposal(
    tenant_id="local",
    agent_id=given.agent,
    actions=[action_pb2.ProposedAction(shell=action_pb2.ShellAction(command=given.command, cwd="/w"))],
)
metadata = [("authorization", f"Bearer {given.token}")] if given.token else []


def pem(path):
    return pathlib.Path(path).read_bytes() if path else None


def connect():
    if not given.ca:
        return grpc.insecure_channel(given.address)
    shown = {"private_key": pem(given.key), "certificate_chain": pem(given.cert)} if given.cert else {}
    return grpc.secure_channel(given.address, grpc.ssl_channel_credentials(pem(given.ca), **shown))


with connect() as channel:
    decisions = decision_service_pb2_grpc.DecisionServiceStub(channel)
    try:
        request = decision_service_pb2.ExecuteRequest(proposal=proposal)
        answer = decisions.Execute(request, metadata=metadata, timeout=20).answer
    except grpc.RpcError as error:
        print(json.dumps({"error": error.code().name, "message": error.details()}))
        sys.exit(0)
print(
    json.dumps(
        {
            "decision": common_pb2.Decision.Name(answer.decision),
            "route": common_pb2.Route.Name(answer.route),
            "provenance": common_pb2.ClientProvenance.Name(answer.client_provenance),
            "receipt_id": answer.receipt_id,
            "action_receipt_id": answer.action_receipt_id,
            "receipt": answer.receipt.decode(),
            "rules": [reason.rule for reason in answer.reasons],
        }
    )
)
