"""A caller in Python that knows Beacon by its protos alone.

usage: guard_client.py GENERATED ADDRESS AGENT COMMAND [TOKEN]
Prints one JSON object: the answer, or {"error": <gRPC status>, "message": ...}.
"""

import json
import sys

import grpc

generated, address, agent, command, *token = sys.argv[1:]
sys.path.insert(0, generated)

from beacon.v1 import action_pb2, common_pb2, decision_service_pb2, decision_service_pb2_grpc  # noqa: E402

proposal = decision_service_pb2.Proposal(
    tenant_id="local",
    agent_id=agent,
    actions=[action_pb2.ProposedAction(shell=action_pb2.ShellAction(command=command, cwd="/w"))],
)
metadata = [("authorization", f"Bearer {token[0]}")] if token else []
with grpc.insecure_channel(address) as channel:
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
