# Rules of {{name}}. Each hit is one more reason with a route; the strictest of all, Beacon's own included, decides.
# `input` is what Beacon understood (docs/policies.md); what is not there is undefined, so ask for what must be so.
package added.{{name}}

import data.tables.{{name}}.freeze

hits contains {
	"route": "APPROVAL",
	"rule": "freeze",
	"code": "change_freeze",
	"message": concat("", ["`", part.tool, "` waits for the end of the change freeze. Propose it again then, or ask a person to approve."]),
} if {
	freeze.active
	some part in input.action.parts
	freeze.effects[part.effect]
}
