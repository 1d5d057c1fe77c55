# Protected paths: files and folders that nobody changes without a person. The host tells every place a change touches
# and every folder above it (core/action/extent.ts), so that a name is looked up and not searched for.
package beacon

import data.beacon.limits

default protected_paths := {}

protected_paths := object.union(limits.protected_paths, object.get(tenant, "protected_paths", {})) if tenant

protected_paths := limits.protected_paths if not tenant

touched contains place if {
	count(protected_paths) > 0
	some place in change.places
	protected_paths[place]
}

# What goes with the folder that holds it.
touched contains path if {
	count(protected_paths) > 0
	some tree in change.trees
	some path, _ in protected_paths
	within(path, tree)
}

within(_, ".")

within(path, tree) if startswith(path, concat("", [tree, "/"]))

hits contains [rank, "beacon.paths.protected", "protected_path", message] if {
	rank := rung({"ladder": "person_present"})
	some path in touched
	message := concat("", ["It changes `", path, "`, which is protected. Propose the change on another path, or ask a person to approve.", barred(rank)])
}

hits contains [rank, "beacon.paths.protected", "protected_path_unknown", message] if {
	rank := rung({"ladder": "person_present"})
	count(protected_paths) > 0
	change.complete == false
	message := concat("", ["It changes more places than can be held against the protected paths. Propose it in smaller steps, or ask a person to approve.", barred(rank)])
}
