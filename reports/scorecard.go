package reports

import (
	"slices"

	"github.com/partywall/partywall/harness"
)

// A ScoreLine is a line of the cheat sheet with what a run says about it.
type ScoreLine struct {
	Section string `json:"section"`
	Line    string `json:"line"`
	// Verdict of the worst result that speaks for the line; "not looked at" where none does, or all were skipped.
	Verdict   string   `json:"verdict"`
	Scenarios []string `json:"scenarios"`
}

// NotLookedAt is the verdict on a line that nothing in the run speaks for.
const NotLookedAt = "not looked at"

// Score tells for every line of the cheat sheet what the results say about it.
func Score(r *harness.Report) []ScoreLine {
	var out []ScoreLine
	for _, section := range CheatSheet {
		for _, line := range section.Lines {
			score := ScoreLine{Section: section.Title, Line: line, Verdict: NotLookedAt, Scenarios: []string{}}
			verdict := harness.Skipped
			for _, result := range r.Results {
				if result.Verdict == harness.Skipped || !slices.Contains(result.Refs.CheatSheet, line) {
					continue
				}
				verdict = verdict.Worse(result.Verdict)
				if !slices.Contains(score.Scenarios, result.Scenario) {
					score.Scenarios = append(score.Scenarios, result.Scenario)
				}
			}
			if verdict != harness.Skipped {
				score.Verdict = string(verdict)
			}
			out = append(out, score)
		}
	}
	return out
}

// CheatSheet lists what the OWASP Multi-Tenant Application Security Cheat Sheet asks for, in its order and its words.
var CheatSheet = []struct {
	Title string
	Lines []string
}{
	{"Key risks", []string{
		"Cross-Tenant Data Leakage", "Tenant Impersonation", "Broken Tenant Isolation", "Insecure Direct Object References (IDOR)",
		"Noisy Neighbor Attacks", "Privilege Escalation Across Tenants", "Tenant Context Injection", "Shared Resource Poisoning",
		"Insecure Tenant Onboarding/Offboarding", "Audit & Compliance Gaps",
	}},
	{"1. Identification and context", []string{
		"Establish tenant context early in the request lifecycle (middleware/interceptor).",
		"Use cryptographically secure, non-guessable tenant identifiers.",
		"Never trust client-supplied tenant IDs without validation.",
		"Bind tenant context to the authenticated user session.",
		"Propagate tenant context securely through all application layers.",
		"Bad example: Trusting client-supplied tenant ID",
		"Good example: Deriving tenant from authenticated session",
	}},
	{"2. Database isolation", []string{
		"Separate Databases", "Separate Schemas", "Shared Tables (Row-Level)", "Hybrid", "Row-Level Security Implementation (PostgreSQL)",
		"Application-Level Enforcement (Python/SQLAlchemy)",
	}},
	{"3. IDOR prevention", []string{
		"Always validate that requested resources belong to the current tenant.",
		"Use composite keys (tenant_id + resource_id) for all lookups.",
		"Implement authorization checks at the data access layer, not just API layer.",
		"Avoid exposing sequential or guessable IDs.",
		"Bad example: Direct object reference without tenant validation",
		"Good example: Tenant-scoped resource access",
	}},
	{"4. Cache and session", []string{
		"Prefix all cache keys with tenant identifier.",
		"Use separate cache namespaces or instances for sensitive tenants.",
		"Implement cache key validation to prevent injection.",
		"Set appropriate TTLs and validate tenant on cache retrieval.",
		"Bad example: Shared cache without tenant isolation",
		"Good example: Tenant-isolated caching",
	}},
	{"5. API and rate limits", []string{
		"Implement per-tenant rate limiting and quotas.", "Apply tenant-specific API throttling.",
		"Validate tenant context on every API request.", "Use separate API keys per tenant.",
		"Implement tenant-aware request signing for B2B APIs.", "Tenant-Aware Rate Limiting",
	}},
	{"6. Files and blobs", []string{
		"Use tenant-prefixed paths for all file storage.", "Implement storage access policies per tenant.",
		"Validate tenant ownership before serving files.", "Use signed URLs with tenant context embedded.",
		"Encrypt files at rest with tenant-specific keys (for high-security requirements).",
		"Secure Multi-Tenant File Storage",
	}},
	{"7. Onboarding and offboarding", []string{
		"Implement secure tenant provisioning with isolated resources.", "Generate unique encryption keys per tenant where required.",
		"Ensure complete data deletion on tenant offboarding.", "Maintain audit trail of provisioning/deprovisioning.",
		"Implement data export for tenant portability.", "Secure Tenant Lifecycle Management",
	}},
	{"8. Logging and audit", []string{
		"Include tenant context in all log entries.", "Implement tenant-isolated audit trails.",
		"Monitor for cross-tenant access attempts.", "Set up alerts for tenant isolation violations.",
		"Ensure compliance with tenant-specific retention policies.", "Tenant-Aware Logging & Monitoring",
	}},
	{"Do", []string{
		"Derive tenant context from authenticated, verified tokens.",
		"Use database-level isolation (RLS, schemas) as defense in depth.",
		"Include tenant_id in all resource queries, cache keys, and storage paths.",
		"Implement per-tenant rate limiting and quotas.",
		"Log tenant context with every operation.", "Validate tenant ownership at the data access layer.",
		"Use separate encryption keys for high-security tenants.", "Implement complete data deletion for offboarding.",
		"Monitor and alert on cross-tenant access attempts.",
	}},
	{"Don't", []string{
		"Trust tenant IDs from client headers or request parameters.", "Use shared cache keys without tenant prefixes.",
		"Expose sequential or guessable tenant/resource IDs.",
		"Allow queries without tenant filters (even for admins without explicit override).",
		"Store tenant data without tenant_id columns.", "Share API keys or credentials across tenants.",
		"Skip tenant validation for \"internal\" services.", "Retain tenant data indefinitely after offboarding.",
		"Log sensitive tenant data in plain text.",
	}},
}
