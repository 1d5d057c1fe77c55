# A tenant's overlay (`data.tenants[tenant_id]`): it protects more branches and sets stricter routes by effect or tool.
# It only adds hits, so it cannot loosen; an overlay that cannot be read denies.
package beacon

import data.beacon.effects
import data.beacon.limits
import data.beacon.words

tenant := data.tenants[input.identity.tenant_id]

tenant_data_ok if not has_tenants

tenant_data_ok if {
	is_object(data.tenants)
	not has_tenant_data
}

tenant_data_ok if {
	is_object(tenant)
	every map in [
		object.get(tenant, "protected_branches", {}),
		object.get(tenant, "protected_branch_prefixes", {}),
		object.get(tenant, "protected_paths", {}),
		object.get(tenant, "regions", {}),
	] {
		is_object(map)
		every value in map {
			value == true
		}
	}
	every map in [object.get(tenant, "effects", {}), object.get(tenant, "tools", {})] {
		is_object(map)
		every route in map {
			is_number(words.ranks[route])
		}
	}
	is_boolean(object.get(tenant, "every_change_approved", false))
	is_object(object.get(tenant, "exec", {}))
	change_limits_ok(object.get(tenant, "change_limits", {}))
}

# A misspelt step or measure would limit nothing.
change_limits_ok(steps) if {
	is_object(steps)
	every step, numbers in steps {
		limits.change[step]
		is_object(numbers)
		every measure, number in numbers {
			limits.change[step][measure]
			is_number(number)
			number >= 0
		}
	}
}

# Anything there, even null or false, is data.
has_tenants if _ = data.tenants

has_tenant_data if _ = tenant

hits contains [words.ranks[route], "beacon.tenant.effects", "tenant_effect", message] if {
	some part in input.action.parts
	route := tenant.effects[part.effect]
	message := concat("", ["Your organisation routes `", part.effect, "` to ", route, "; ", called(part), " has this effect. Ask its operators what is accepted instead."])
}

hits contains [words.ranks[route], "beacon.tenant.tools", "tenant_tool", message] if {
	some part in input.action.parts
	route := tenant.tools[part.tool]
	message := concat("", ["Your organisation routes the tool `", part.tool, "` to ", route, ". Use another tool, or ask its operators."])
}

# A call that names a tenant is for that tenant. Who only asserts a name is refused; another may be approved.
hits contains [rank, "beacon.tenant.other", "other_tenant", message] if {
	some part in input.action.parts
	some target in part.targets
	startswith(target, "tenant:")
	name := substring(target, 7, -1)
	lower(name) != lower(input.identity.tenant_id)
	rank := other_tenant_ranks[input.identity.client_provenance]
	message := concat("", [called(part), " acts for the tenant ", name, ", which is not yours. ", other_tenant_advice[rank]])
}

other_tenant_advice := {3: "Act within your own tenant, or ask a person to approve.", 4: "Act within your own tenant, or have a token minted: a name that is only asserted is approved for no other."}

other_tenant_ranks := {"asserted": 4, "authenticated": 3, "attested": 3}

hits contains [3, "beacon.tenant.every_change", "change_needs_approval", message] if {
	tenant.every_change_approved == true
	level in {"L0", "L1"}
	some part in input.action.parts
	effects[part.effect].changes
	message := concat("", ["Your organisation has every change approved at level ", level, ", and ", called(part), " changes something. Ask a person to approve."])
}
