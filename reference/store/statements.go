package store

import "maps"

// Statements are the SQL texts of the store, by name. They are data: every one that touches tenants' rows names the
// tenant, whatever strategy stands behind it. Arguments are named, so a statement may be read on its own. They stand in
// the files of their repositories.
type Statements map[string]string

// DefaultStatements returns a fresh copy of the good statements.
func DefaultStatements() Statements {
	all := Statements{}
	for _, some := range []Statements{
		userStatements(), documentStatements(), trashStatements(), categoryStatements(), commentStatements(), projectStatements(),
		noteStatements(), invoiceStatements(), preferenceStatements(), onceStatements(), auditStatements(),
		sessionStatements(), memberStatements(), invitationStatements(), shareStatements(), overrideStatements(),
		exportStatements(), webhookStatements(), dataKeyStatements(), quotaStatements(),
		apiKeyStatements(),
	} {
		maps.Copy(all, some)
	}
	return all
}
