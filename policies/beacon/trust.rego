# The level that counts: what the host states, never above what the caller's provenance supports.
package beacon

import data.beacon.trust

level := trust.names[min([stated, cap])] if {
	stated := trust.levels[input.facts.level]
	cap := trust.cap[input.identity.client_provenance]
}
