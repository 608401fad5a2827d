package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	service "github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/store"
)

// envOperatorKey holds the key of the admin API, envSecret what all other keys are derived from.
const (
	envOperatorKey = "PARTYWALL_OPERATOR_KEY"
	envSecret      = "PARTYWALL_SECRET"
)

// secret of the service, or nil for one that ends with the process.
func secret() ([]byte, error) {
	text := os.Getenv(envSecret)
	if text == "" {
		return nil, nil
	}
	decoded, err := hex.DecodeString(text)
	if err != nil || len(decoded) < service.SecretSize {
		return nil, fmt.Errorf("set %s to at least %d hexadecimal digits, as openssl rand -hex %d prints them", envSecret, 2*service.SecretSize, service.SecretSize)
	}
	return decoded, nil
}

func serveCommand() *cobra.Command {
	var address, strategy, kind string
	c := &cobra.Command{
		Use: "serve", Short: "Run the reference service alone",
		Long: "Run the reference service until it is interrupted. Tenants are admitted through its admin API, which " + envOperatorKey + " opens.\n" +
			envSecret + " holds the secret that its keys are derived from, in hexadecimal; without it they end with the process.\n" +
			"targets/examples/reference.yaml describes the service for partywall run.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			ctx := c.Context()
			key := os.Getenv(envOperatorKey)
			if len(key) < 16 {
				return fmt.Errorf("set %s to a secret of at least 16 characters; it opens the admin API", envOperatorKey)
			}
			secret, err := secret()
			if err != nil {
				return err
			}
			template, err := service.Template(strategy)
			if err != nil {
				return err
			}
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return fmt.Errorf("listen on %s: %w", address, err)
			}
			defer func() { _ = listener.Close() }() // the server closes it first when all goes well
			engine, err := backing.Open(ctx, kind)
			if err != nil {
				return notBegun(c, err)
			}
			defer func() { err = errors.Join(err, engine.Close()) }()
			base, err := engine.Service(ctx, template)
			if err != nil {
				return notBegun(c, err)
			}
			defer func() { err = errors.Join(err, base.Close(context.WithoutCancel(ctx))) }()
			log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
			parts, err := service.Assemble(service.Config{Strategy: strategy, Log: log, Secret: secret}, base)
			if err != nil {
				return err
			}
			parts.API.OperatorKey = key
			handler, err := service.New(ctx, parts)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(c.OutOrStdout(), "serving http://%s (strategy %s, backing %s)\n", listener.Addr(), strategy, kind)
			return serve(ctx, listener, handler, parts.API.Feed.Close)
		},
	}
	c.Flags().StringVar(&address, "address", "127.0.0.1:8080", "where to listen")
	c.Flags().StringVar(&strategy, "strategy", "row", "isolation strategy: "+strings.Join(store.Strategies(), ", "))
	c.Flags().StringVar(&kind, "backing", "embedded", "where Postgres, Redis and S3 come from: "+strings.Join(backing.Kinds(), ", "))
	return c
}

// serve until the context ends, then end the streams and let running requests finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, endStreams func()) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	server.RegisterOnShutdown(endStreams)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(stopping)
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}
