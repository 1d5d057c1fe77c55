# Declarative guardrails (`guardrails.yaml`): what a tenant wants blocked, redacted or warned of, stage by stage. They only
# add hits, so they cannot loosen; guardrails that cannot be read deny.
package beacon

import data.beacon.guardrails
import data.beacon.words

stage_of := {"prompt": "input", "output": "output", "leaving": "pre_flight", "local": "pre_flight"}

guardrail_ranks := {"block": 4, "redact": 1, "warn": 1}

guardrail_least := {"low": 0, "medium": 1, "high": 2}

# [stage, entity, action, finding] of each finding that a line of the file names, by its kind or by its class.
guarded contains [stage, entity, guardrail_action(line), finding] if {
	some place in places
	stage := stage_of[place]
	some finding in found
	some entity in {finding.kind, finding.class}
	line := guardrails.tenants[input.identity.tenant_id][stage][entity]
	guardrail_least[finding.confidence] >= guardrail_least[guardrail_confidence(line, entity)]
}

guardrail_action(line) := line.action if {
	is_object(line)
} else := line

# A kind that is named is meant however unsure; a class is many kinds.
guardrail_confidence(line, entity) := line.confidence if {
	is_object(line)
	object.get(line, "confidence", null) != null
} else := "medium" if {
	words.finding_class[entity]
} else := "low"

hits contains [guardrail_ranks[action], concat("", ["beacon.guardrails.", action]), concat("_", ["guardrail", action]), message] if {
	some [stage, entity, action, finding] in guarded
	message := concat("", ["Guardrail: your organisation has `", entity, "` ", guardrail_words[action], " at the stage ", stage, ", and ", finding.kind, " was found", where_found(finding), guardrail_advice[action]])
}

guardrail_words := {"block": "blocked", "redact": "redacted", "warn": "warned of"}

guardrail_advice := {
	"block": ". Propose it again without; no approval lifts this.",
	"redact": ". It is taken out before it goes on; leave it out to have nothing rewritten.",
	"warn": ". Leave it out where it is not needed.",
}

# A block is heard: whoever is on duty is told, not the agent alone.
owed contains {"kind": "notify", "reason": "guardrail_block"} if {
	some [_, _, "block", _] in guarded
}

owed contains {"kind": "redact_output", "classes": classes} if {
	classes := sort([finding.class | some [stage, _, "redact", finding] in guarded; stage == "output"])
	count(classes) > 0
}

owed contains {"kind": "rewrite_input", "redact": classes} if {
	classes := sort([finding.class | some [stage, _, "redact", finding] in guarded; stage != "output"])
	count(classes) > 0
}

# Of this tenant alone: the others' lines, however many, cost nothing. The build has read them all by the schema.
guardrails_ok if {
	guardrails.version == 1
	is_object(guardrails.tenants)
	stages := object.get(guardrails.tenants, input.identity.tenant_id, {})
	is_object(stages)
	every stage, entities in stages {
		stage_ok(stage, entities)
	}
}

stage_ok("tools", rules) if tool_rules_ok(rules)

stage_ok(stage, entities) if {
	stage in {"pre_flight", "input", "output"}
	is_object(entities)
	every line in entities {
		is_number(guardrail_ranks[guardrail_action(line)])
		is_number(guardrail_least[guardrail_confidence(line, "")])
	}
}
