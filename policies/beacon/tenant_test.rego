# A tenant's overlay adds; it never takes away.
package beacon.tests

import data.beacon

overlays := {"t": {
	"protected_branches": {"demo": true},
	"effects": {"read": "APPROVAL", "flood": "ALLOW"},
	"tools": {"sh": "WARN"},
}}

test_overlay_tightens if {
	verdict := beacon.decide with input as proposal([part("read")]) with data.tenants as overlays
	verdict.route == "APPROVAL"
}

test_overlay_never_loosens if {
	every effect, _ in data.beacon.effects {
		plain := beacon.decide with input as proposal([part(effect)])
		loose := {"t": {"effects": {effect: "ALLOW"}, "tools": {"sh": "ALLOW"}}}
		laid := beacon.decide with input as proposal([part(effect)]) with data.tenants as loose
		laid.route == plain.route
	}
}

test_other_tenants_overlay_is_nothing_to_this_one if {
	verdict := beacon.decide with input as proposal([part("read")]) with data.tenants as {"u": overlays.t}
	verdict.route == "ALLOW"
}

test_unreadable_overlays_deny if {
	every overlay in [null, false, [], "x", {"effects": []}, {"effects": {"read": "MAYBE"}}, {"tools": null}, {"protected_branches": {"a": 1}}, {"every_change_approved": "yes"}] {
		verdict := beacon.decide with input as proposal([part("read")]) with data.tenants as {"t": overlay}
		verdict.route == "DENY"
	}
}

test_unreadable_overlay_data_deny if {
	every overlays_data in [null, false, [], "x"] {
		verdict := beacon.decide with input as proposal([part("read")]) with data.tenants as overlays_data
		verdict.route == "DENY"
	}
}
