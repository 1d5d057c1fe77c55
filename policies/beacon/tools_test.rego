# Pinned definitions: what is pinned passes, what differs is denied, what cannot be read is denied.
package beacon.tests

import data.beacon

describing(targets) := object.union(part("output"), {"operation": "describe", "tool": "github", "targets": targets})

pinned(rules) := {"version": 1, "tenants": {"t": {"tools": rules}}}

listed := {"pinned": {"github/search": "sha256:aa"}, "unlisted": "warn"}

verdict_on(target, rules) := verdict if {
	verdict := beacon.decide with input as proposal([describing([target])]) with data.beacon.guardrails as pinned(rules)
}

test_as_pinned_passes if {
	verdict_on("tool:search@sha256:aa", listed).route == "ALLOW"
}

test_another_definition_is_denied_and_heard if {
	verdict := verdict_on("tool:search@sha256:bb", listed)
	verdict.route == "DENY"
	verdict.reasons[0].code == "tool_changed"
	{"kind": "notify", "reason": "guardrail_block"} in verdict.obligations
}

test_unlisted_as_said if {
	verdict_on("tool:other@sha256:aa", listed).route == "WARN"
	verdict_on("tool:other@sha256:aa", {"pinned": {}, "unlisted": "block"}).route == "DENY"
	verdict_on("tool:other@sha256:aa", {"pinned": {}}).route == "ALLOW"
}

test_of_another_server_is_another_tool if {
	elsewhere := object.union(describing(["tool:search@sha256:aa"]), {"tool": "elsewhere"})
	verdict := beacon.decide with input as proposal([elsewhere]) with data.beacon.guardrails as pinned({"pinned": {"github/search": "sha256:aa"}, "unlisted": "block"})
	verdict.route == "DENY"
}

test_what_cannot_be_read_is_denied if {
	every target in ["tool:search", "search@sha256:aa", "tool:a@b@sha256:aa"] {
		verdict_on(target, {"pinned": {"github/search": "sha256:aa"}}).reasons[0].code == "tool_unreadable"
	}
	verdict := beacon.decide with input as proposal([describing([])]) with data.beacon.guardrails as pinned(listed)
	verdict.reasons[0].code == "tool_unreadable"
}

test_another_tenants_pins_say_nothing if {
	verdict := beacon.decide with input as proposal([describing(["tool:search@sha256:bb"])]) with data.beacon.guardrails as {"version": 1, "tenants": {"u": {"tools": listed}}}
	verdict.route == "ALLOW"
}

test_pins_that_cannot_be_read_deny if {
	every rules in [null, [], "x", {"pinned": []}, {"pinned": {"a": 1}}, {"unlisted": "perhaps"}] {
		verdict_on("tool:search@sha256:aa", rules).route == "DENY"
	}
}
