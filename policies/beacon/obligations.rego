# What the runtime must keep while it runs the action. `required: false` means: where the surface can.
package beacon

obligations := [obligation | some obligation in owed]

owed contains {"kind": "sandbox", "required": false} if {
	some entry in judged
	some row in entry[1]
	row.sandbox
}

owed contains {"kind": "redact_output", "classes": ["secret"]} if {
	some entry in judged
	some row in entry[1]
	row.redact
}

owed contains {"kind": "redact_output", "classes": ["secret"]} if {
	not "prompt" in places
	some finding in found
	finding.class == "secret"
}

owed contains {"kind": "redact_output", "classes": ["pii"]} if {
	"output" in places
	some finding in found
	finding.class == "pii"
	some place in places
	finding_route(finding, place) != "ALLOW"
}

owed contains {"kind": "rewrite_input", "redact": ["pii"]} if {
	"prompt" in places
	some finding in found
	finding.class == "pii"
}

owed contains {"kind": "mark_untrusted"} if {
	some finding in found
	finding.class == "injection"
	some place in places
	finding_route(finding, place) != "ALLOW"
}
