# Guardrails add; what cannot be read denies.
package beacon.tests

import data.beacon

email := {"kind": "email", "class": "pii", "where": "action.text", "confidence": "low", "digest": ""}

card := {"kind": "payment_card", "class": "pii", "where": "action.text", "confidence": "high", "digest": ""}

rails(stages) := {"version": 1, "tenants": {"t": stages}}

carrying(effect, findings) := object.union(proposal([part(effect)]), {"findings": findings})

test_block_denies_and_is_heard if {
	verdict := beacon.decide with input as carrying("output", [card]) with data.beacon.guardrails as rails({"output": {"pii": "block"}})
	verdict.route == "DENY"
	verdict.reasons[0].rule == "beacon.guardrails.block"
	{"kind": "notify", "reason": "guardrail_block"} in verdict.obligations
}

test_a_named_kind_is_meant_however_unsure if {
	verdict := beacon.decide with input as carrying("prompt", [email]) with data.beacon.guardrails as rails({"input": {"email": "block"}})
	verdict.route == "DENY"
}

test_a_class_needs_some_confidence if {
	verdict := beacon.decide with input as carrying("read", [email]) with data.beacon.guardrails as rails({"pre_flight": {"pii": "block"}})
	verdict.route == "ALLOW"
	lower := beacon.decide with input as carrying("read", [email]) with data.beacon.guardrails as rails({"pre_flight": {"pii": {"action": "block", "confidence": "low"}}})
	lower.route == "DENY"
}

test_redact_warns_with_the_duty_to_redact if {
	verdict := beacon.decide with input as carrying("output", [email]) with data.beacon.guardrails as rails({"output": {"email": "redact"}})
	verdict.route == "WARN"
	some obligation in verdict.obligations
	obligation.kind == "redact_output"
}

test_other_stages_and_tenants_are_untouched if {
	elsewhere := beacon.decide with input as carrying("output", [email]) with data.beacon.guardrails as rails({"input": {"email": "block"}})
	elsewhere.route == "ALLOW"
	another := beacon.decide with input as carrying("output", [email]) with data.beacon.guardrails as {"version": 1, "tenants": {"u": {"output": {"email": "block"}}}}
	another.route == "ALLOW"
}

test_guardrails_never_loosen if {
	every finding in [email, card] {
		every effect in ["output", "prompt", "read", "send"] {
			every action in ["warn", "redact", "block"] {
				plain := beacon.decide with input as carrying(effect, [finding]) with data.beacon.guardrails as rails({})
				railed := beacon.decide with input as carrying(effect, [finding]) with data.beacon.guardrails as rails({"pre_flight": {"pii": action}, "input": {"pii": action}, "output": {"pii": action}})
				data.beacon.words.ranks[railed.route] >= data.beacon.words.ranks[plain.route]
			}
		}
	}
}

test_unreadable_guardrails_deny if {
	every spoilt in [null, {}, {"version": 2, "tenants": {}}, {"version": 1, "tenants": []}, rails([]), rails({"midway": {}}), rails({"output": {"email": "blok"}}), rails({"output": {"email": {"action": "block", "confidence": "sure"}}}), rails({"output": {"email": {"action": "block", "confidence": 5}}}), rails({"output": []})] {
		verdict := beacon.decide with input as proposal([part("read")]) with data.beacon.guardrails as spoilt
		verdict.route == "DENY"
	}
}
