package tenant

import "context"

// Origin is where a request came from, as far as the service can know: what trails and logs remember beside who acted.
type Origin struct {
	Request string // an id that the service gave the request
	IP      string // of the client; a proxy's word for it counts only where the proxy is trusted
	Agent   string // what the client says it is
}

type originKey struct{}

// WithOrigin returns a context that carries where a request came from.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns where the request of a context came from; zero for what no request has caused.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
