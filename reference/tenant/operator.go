package tenant

import "context"

type operatorKey struct{}

// NewOperator returns a context for what an operator does, as the service's log of tenants' lives will call it.
func NewOperator(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, operatorKey{}, name)
}

// Operator tells on whose order something is done: "service" where nobody gave one.
func Operator(ctx context.Context) string {
	if name, ok := ctx.Value(operatorKey{}).(string); ok {
		return name
	}
	return "service"
}
