# What a server says its tools are, held against what a tenant has pinned (`tools` in guardrails.yaml): a definition by its
# digest, and what holds for those nobody pinned. It only adds hits.
package beacon

import data.beacon.guardrails

tool_rules := guardrails.tenants[input.identity.tenant_id].tools

# [name, digest] of each described tool; a part that cannot be read as one has neither, and is denied.
described := [definition_of(part) |
	is_object(tool_rules)
	some part in input.action.parts
	part.operation == "describe"
	part.effect == "output"
]

definition_of(part) := [concat("/", [part.tool, name]), digest] if {
	count(part.targets) == 1
	startswith(part.targets[0], "tool:")
	[name, digest] := split(substring(part.targets[0], 5, -1), "@")
} else := ["", ""]

hits contains [4, "beacon.guardrails.tools", "tool_changed", message] if {
	some [name, digest] in described
	tool_rules.pinned[name] != digest
	message := concat("", ["Guardrail: the tool `", name, "` is not described as your organisation has pinned it. Leave it out, or have its operators pin the new definition (", digest, ")."])
}

hits contains [4, "beacon.guardrails.tools", "tool_unreadable", message] if {
	some ["", _] in described
	message := "Guardrail: a tool is described in a way that cannot be held against what your organisation has pinned. Leave it out, or have its server describe it plainly."
}

hits contains [rank, "beacon.guardrails.tools", "tool_unlisted", message] if {
	some [name, digest] in described
	not is_string(object.get(tool_rules, ["pinned", name], null))
	rank := unlisted_ranks[object.get(tool_rules, "unlisted", "allow")]
	rank > 0
	message := concat("", ["Guardrail: your organisation has pinned no definition of the tool `", name, "` (", digest, "). Leave it out, or have its operators pin it."])
}

unlisted_ranks := {"allow": 0, "warn": 1, "block": 4}

owed contains {"kind": "notify", "reason": "guardrail_block"} if {
	some [name, digest] in described
	tool_rules.pinned[name] != digest
}

tool_rules_ok(rules) if {
	is_object(rules)
	is_number(unlisted_ranks[object.get(rules, "unlisted", "allow")])
	pinned := object.get(rules, "pinned", {})
	is_object(pinned)
	every digest in pinned {
		is_string(digest)
	}
}
