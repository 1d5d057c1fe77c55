# For the tests of packages: whole inputs of few words. Staged for `opa test` alone; it is in no bundle.
package beacon.testing

# An action of one part with this effect, by an agent of this tenant at L2.
action(tenant, effect) := proposal(tenant, [part(effect)])

proposal(tenant, parts) := {
	"version": 1,
	"identity": {"tenant_id": tenant, "agent_id": "agent", "session_id": "", "client_provenance": "authenticated"},
	"surface": "api",
	"runtime_family": "gateway",
	"action": {"parts": parts},
	"externality": object.union(local_only, {
		"tenant_provenance": "verified",
		"account_provenance": "unknown",
		"client_provenance": "authenticated",
		"enforceability": "pre_execution_gate",
	}),
	"findings": [],
	"facts": {
		"score": 300,
		"valid_receipts": 0,
		"level": "L2",
		"revocation_epoch": 1,
		"revoked_scopes": [],
		"budget_exhausted": false,
		"approval": null,
	},
	"context": {"cwd": "/w", "workspace": "/w"},
}

part(effect) := {
	"operation": "run",
	"effect": effect,
	"tool": "sh",
	"targets": [],
	"systems": [],
	"scope": "workspace",
	"reversible": "reversible",
	"externality": local_only,
	"flags": [],
	"digests": [],
}

local_only := {
	"destination_type": "none",
	"destination_visibility": "private",
	"destination_ownership": "self",
	"external_write": false,
	"sensitive_payload": "none",
	"reversibility": "reversible",
}
