package reference

import "github.com/partywall/partywall/reference/fairshare"

// connections divides those of the application's pool: half of them to one tenant at most, so that its slow statements leave
// some for others. Two are left out, for what asks before it is known who is asked for: the registry of tenants.
func connections(pool int32) *fairshare.Queue {
	slots := max(1, int(pool)-2)
	return &fairshare.Queue{Slots: slots, Each: (slots + 1) / 2, Waiting: 500, Weight: weight}
}

// expensive is what costs the database much more than to find one row: to search, to count, to add up.
func expensive() *fairshare.Queue {
	return &fairshare.Queue{Slots: 8, Each: 4, Waiting: 100, Weight: weight}
}

// weight of a tier where tenants wait for the same.
func weight(tier string) int {
	switch tier {
	case "enterprise":
		return 8
	case "business":
		return 4
	case "starter":
		return 2
	default:
		return 1
	}
}
