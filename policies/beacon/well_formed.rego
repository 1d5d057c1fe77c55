# Every field a rule relies on has its type and, where the list is closed, a listed value. One that has not makes the
# whole input malformed, which is DENY.
package beacon

import data.beacon.effects
import data.beacon.ladders
import data.beacon.limits
import data.beacon.trust
import data.beacon.words

well_formed if {
	input.version == 1
	identity_ok
	is_string(input.surface)
	words.runtime_family[input.runtime_family]
	parts_ok
	externality_ok
	findings_ok
	change_ok
	limits_ok
	commands_ok
	strings(regions)
	exec_ok
	facts_ok
	context_ok
	tenant_data_ok
	guardrails_ok
}

identity_ok if {
	is_string(input.identity.tenant_id)
	input.identity.tenant_id != ""
	is_string(input.identity.agent_id)
	input.identity.agent_id != ""
	is_string(input.identity.session_id)
	words.provenance[input.identity.client_provenance]
}

parts_ok if {
	is_array(input.action.parts)
	count(input.action.parts) > 0
	every part in input.action.parts {
		part_ok(part)
	}
}

part_ok(part) if {
	is_string(part.operation)
	is_string(part.tool)
	effects[part.effect]
	words.scope[part.scope]
	words.externality.reversibility[part.reversible]
	strings(part.targets)
	strings(part.systems)
	strings(part.flags)
	strings(part.digests)
	part_externality_ok(part.externality)
}

strings(list) if {
	is_array(list)
	every text in list {
		is_string(text)
	}
}

part_externality_ok(x) if {
	words.externality.destination_type[x.destination_type]
	words.externality.destination_visibility[x.destination_visibility]
	words.externality.destination_ownership[x.destination_ownership]
	words.externality.sensitive_payload[x.sensitive_payload]
	words.externality.reversibility[x.reversibility]
	external_write_ok(x.external_write)
}

external_write_ok(value) if is_boolean(value)

external_write_ok("unknown")

externality_ok if {
	part_externality_ok(input.externality)
	words.externality.tenant_provenance[input.externality.tenant_provenance]
	words.externality.account_provenance[input.externality.account_provenance]
	words.externality.client_provenance[input.externality.client_provenance]
	words.externality.enforceability[input.externality.enforceability]
}

findings_ok if {
	is_array(input.findings)
	every finding in input.findings {
		is_string(finding.kind)
		words.finding_class[finding.class]
		words.confidence[finding.confidence]
		is_string(finding.where)
		is_string(finding.digest)
	}
}

# What was recorded before changes were measured tells of none; the host of today always does.
change_ok if not has_change

change_ok if {
	numbers_ok(input.change)
	strings(input.change.places)
	strings(input.change.trees)
	is_boolean(input.change.complete)
}

# A table with a hole would be a limit that nothing reaches.
limits_ok if {
	is_object(limits.protected_paths)
	numbers_ok(limits.change.noticed)
	numbers_ok(limits.change.approved)
	step_ok(limits.steps.noticed)
	step_ok(limits.steps.approved)
}

numbers_ok(numbers) if {
	is_number(numbers.files)
	is_number(numbers.lines)
	is_number(numbers.bytes)
}

step_ok(row) if {
	is_object(ladders[row.ladder])
	is_string(row.code)
	is_string(row.does)
	is_string(row.instead)
}

# Anything there, even null or false, is a measure.
has_change if _ = input.change

facts_ok if {
	is_number(input.facts.score)
	is_number(input.facts.valid_receipts)
	is_number(trust.levels[input.facts.level])
	epoch_ok(input.facts.revocation_epoch)
	strings(input.facts.revoked_scopes)
	is_boolean(input.facts.budget_exhausted)
	spent_ok
	approval_ok(input.facts.approval)
}

epoch_ok(epoch) if is_number(epoch)

# There only when a budget is spent.
spent_ok if not has_spent

spent_ok if {
	input.facts.budget_exhausted == true
	is_string(spent_names[spent.of])
	is_number(spent.limit)
	is_number(spent.window_seconds)
	is_string(spent.lifts_at)
}

has_spent if _ = input.facts.budget_spent

# Null is well formed; the revocation rules deny it by its own name.
epoch_ok(null)

approval_ok(null)

approval_ok(approval) if {
	is_string(approval.action_id)
	approval.action_id != ""
	is_string(approval.receipt_id)
	approval.receipt_id != ""
}

# The caller tells the context; what it leaves out is unknown, what it tells must have its type.
context_ok if {
	is_object(input.context)
	is_string(object.get(input.context, "cwd", ""))
	is_string(object.get(input.context, "workspace", ""))
	is_boolean(object.get(input.context, "attended", true))
	git := object.get(input.context, "git", {})
	is_object(git)
	is_string(object.get(git, "branch", ""))
	is_string(object.get(git, "head", ""))
	is_boolean(object.get(git, "dirty", true))
	is_array(object.get(git, "tracked", []))
}
