package tenant

import "time"

// Support is the role of an operator who acts by an override: it may read what every user may read, and change nothing.
const Support = "support"

// Override lets an operator read as one tenant: explicitly, for a stated reason, for a short time, and on that tenant's own
// record. It is the only way for an operator to see rows; there is none that goes without a tenant.
type Override struct {
	ID       string    `json:"id"`
	Operator string    `json:"operator"`
	Reason   string    `json:"reason"`
	Until    time.Time `json:"expires_at"`
}
