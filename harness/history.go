package harness

// A Cell is the unit of work, of evidence and of verdict: a scenario on a resource, by an attacker against a victim.
type Cell struct {
	ID       string `json:"id"` // scenario/resource/attacker-victim
	Scenario string `json:"scenario"`
	Resource string `json:"resource"`
	Attacker string `json:"attacker"` // label in the cast; "anonymous" for nobody
	Victim   string `json:"victim"`
	Seed     int64  `json:"seed"`
}

// History is the record of one cell: all that a judge may look at. It holds no secret and is stored as it is.
type History struct {
	Cell Cell `json:"cell"`
	// Claim is that of the scenario, so that old evidence explains itself.
	Claim string `json:"claim"`
	// Tokens that prove a flow when they reach somebody who was not given them.
	Tokens []Token `json:"tokens"`
	// Given lists what the harness handed to a tenant without sending it.
	Given []Gift `json:"given,omitempty"`
	// Exchanges in the order in which they were recorded.
	Exchanges []*Exchange `json:"exchanges"`
	// Crash is the error or panic that ended the attack early.
	Crash string `json:"crash,omitempty"`
	// Ends says that the scenario ends the victim: its state is not expected to survive.
	Ends bool `json:"ends,omitempty"`
	// Twin says that the scenario compares exchanges by phase.
	Twin bool `json:"twin,omitempty"`
	// Limits says that the scenario is about limits: what a limiter answers to the attack is an answer. Tier is the one that its
	// tenants were on.
	Limits bool  `json:"limits,omitempty"`
	Tier   *Tier `json:"tier,omitempty"`
	// Cast are the tenants, where it is judged what the service tells its operators of them.
	Cast []Member `json:"cast,omitempty"`
}

// Token is a value that only its owner should ever see.
type Token struct {
	Value  string    `json:"value"`
	Kind   TokenKind `json:"kind"`
	Owner  string    `json:"owner"`  // label in the cast
	Object string    `json:"object"` // "a/documents/2"
	Field  string    `json:"field"`
}

// TokenKind decides how a token is searched for.
type TokenKind string

// The kinds of tokens.
const (
	CanaryToken  TokenKind = "canary"  // planted by the harness: found raw, encoded, and in pieces of 12 characters
	IDToken      TokenKind = "id"      // made by the service, too long to guess: found whole
	IntegerToken TokenKind = "integer" // 53 random bits: found as a whole number
)

// Gift is a value that a tenant was handed.
type Gift struct {
	Tenant string `json:"tenant"`
	Value  string `json:"value"`
}

// Finding is a breach with its evidence.
type Finding struct {
	Summary  string   `json:"summary"`
	Attacker string   `json:"attacker"`
	Victim   string   `json:"victim"`
	Evidence []string `json:"evidence"` // ids of exchanges
	Curl     []string `json:"curl"`
	// Fingerprint stays the same from run to run for the same mistake: it is made of scenario, resource, verb and
	// channel, never of ids or of the pair of tenants.
	Fingerprint string `json:"fingerprint"`
	// Channel is the way the information took: body, header, state, status.
	Channel string `json:"channel"`
	verb    Verb
}

// A Judge turns a history into findings. It is a pure function: it sends nothing, reads no clock, and gives the same
// answer for the same record. An error means that the record cannot be judged.
type Judge func(*History) ([]Finding, error)
