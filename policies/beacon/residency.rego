# Data residency: a tenant names the regions of clouds in which anything of its own may be put. The host tells the regions
# a proposal names (core/action/regions.ts); where a region is not named, none is held against the list.
package beacon

regions := object.get(input, "regions", [])

hits contains [4, "beacon.residency.region", "region_outside", message] if {
	some region in regions
	is_object(tenant.regions)
	not tenant.regions[region]
	names := sort([name | some name, _ in tenant.regions])
	message := concat("", ["It puts or changes something in the region ", region, ", and your organisation keeps its data in ", kept(names), ". Use one of its own; no approval lifts this."])
}

kept([]) := "none"

kept(names) := concat(", ", names) if count(names) > 0
