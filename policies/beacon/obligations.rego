# What the runtime must keep while it runs the action. `required: false` means: where the surface can.
package beacon

obligations := [obligation | some obligation in owed]

owed contains {"kind": "sandbox", "required": false} if {
	some part in input.action.parts
	some row in part_rows(part)
	row.sandbox
}

owed contains {"kind": "redact_output", "classes": ["secret"]} if {
	some part in input.action.parts
	some row in part_rows(part)
	row.redact
}

owed contains {"kind": "redact_output", "classes": ["secret"]} if {
	not "prompt" in places
	some finding in input.findings
	finding.class == "secret"
}

owed contains {"kind": "redact_output", "classes": ["pii"]} if {
	"output" in places
	some finding in input.findings
	finding.class == "pii"
	some place in places
	finding_route(finding, place) != "ALLOW"
}

owed contains {"kind": "rewrite_input", "redact": ["pii"]} if {
	"prompt" in places
	some finding in input.findings
	finding.class == "pii"
}

owed contains {"kind": "mark_untrusted"} if {
	some finding in input.findings
	finding.class == "injection"
	some place in places
	finding_route(finding, place) != "ALLOW"
}
