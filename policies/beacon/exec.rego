# Rules on commands by the words they begin with, of the pack and of a tenant: forbidden > prompt > allow, the strictest of
# all that fit decides. The host tells the words (core/action/programs/command-names.ts), so that a prefix is looked up.
package beacon

import data.beacon.exec

exec_ranks := {"allow": 0, "prompt": 3, "forbidden": 4}

# A list, and the tables themselves unread: what is looked up is what costs.
exec_tables := [exec, tenant.exec] if has_tenant_exec

exec_tables := [exec] if not has_tenant_exec

has_tenant_exec if _ = tenant.exec

exec_used if has_tenant_exec

exec_used if exec != {"rules": {}}

# Inputs recorded before commands were told hold none of them against a rule.
commands := object.get(input, "commands", {"list": [], "complete": true})

exec_matches contains [prefix, rule] if {
	exec_used
	some table in exec_tables
	some names in commands.list
	some prefix in names
	rule := table.rules[prefix]
}

hits contains [exec_ranks[decision], "beacon.exec.rule", exec_codes[decision], message] if {
	some match in exec_matches
	decision := exec_decision(match[1])
	message := concat("", ["`", match[0], "` ", exec_says[decision], exec_instead(match[1], decision)])
}

hits contains [exec_ranks[decision], "beacon.exec.unlisted", "exec_unlisted", message] if {
	exec_used
	some table in exec_tables
	decision := table.otherwise
	some names in commands.list
	not exec_listed(names)
	message := concat("", ["`", names[0], "` is on no list of commands that are accepted here. Use one that is, or ", exec_ask[decision]])
}

hits contains [4, "beacon.exec.complete", "exec_too_many", message] if {
	exec_used
	commands.complete == false
	message := "It calls more commands than can be held against the rules on commands. Propose it in smaller steps."
}

exec_listed(names) if {
	some table in exec_tables
	some prefix in names
	_ = table.rules[prefix]
}

exec_decision(rule) := rule if is_string(rule)

exec_decision(rule) := rule.decision if is_object(rule)

exec_instead(rule, _) := rule.instead if is_string(rule.instead)

exec_instead(rule, decision) := exec_advice[decision] if not rule.instead

exec_codes := {"allow": "exec_allowed", "prompt": "exec_prompt", "forbidden": "exec_forbidden"}

exec_says := {"allow": "is allowed by a rule on commands.", "prompt": "waits for a person by a rule on commands. ", "forbidden": "is forbidden by a rule on commands. "}

exec_advice := {"allow": "", "prompt": "Use another command, or ask a person to approve.", "forbidden": "Use another command; no approval lifts this."}

exec_ask := {"prompt": "ask a person to approve.", "forbidden": "have it listed first; no approval lifts this."}

# Keys and the rules that fit are held to their form: a misspelt decision would forbid nothing.
exec_ok if not exec_used

exec_ok if {
	every table in exec_tables {
		exec_table_ok(table)
	}
	every match in exec_matches {
		exec_rule_ok(match[1])
	}
}

exec_table_ok(table) if {
	is_object(table)
	is_object(object.get(table, "rules", {}))
	is_string(exec_ask[object.get(table, "otherwise", "prompt")])
	every key, _ in table {
		key in {"rules", "otherwise"}
	}
}

exec_rule_ok(rule) if is_number(exec_ranks[rule])

exec_rule_ok(rule) if {
	is_object(rule)
	every key, _ in rule {
		key in {"decision", "instead"}
	}
	is_number(exec_ranks[rule.decision])
	exec_sentence(object.get(rule, "instead", "."))
}

exec_sentence(text) if {
	is_string(text)
	endswith(text, ".")
}

commands_ok if not has_commands

commands_ok if {
	is_boolean(input.commands.complete)
	is_array(input.commands.list)
	every names in input.commands.list {
		strings(names)
		count(names) > 0
	}
}

# Anything there, even null or false, is a list of commands.
has_commands if _ = input.commands
