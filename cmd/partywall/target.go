package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/targets/reference"
	"github.com/partywall/partywall/targets/web"
)

// An opener starts or reaches a target. The function it returns ends everything that was started.
type opener func(ctx context.Context) (harness.Target, func(context.Context) error, error)

// parseTarget reads what stands behind --target, and finds every mistake in it before anything is started.
func parseTarget(spec, kind string) (opener, error) {
	if o, ok, err := reference.Parse(spec); ok {
		if err == nil && !slices.Contains(backing.Kinds(), kind) {
			err = fmt.Errorf("the backing %q is unknown; use one of %s", kind, strings.Join(backing.Kinds(), ", "))
		}
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (harness.Target, func(context.Context) error, error) {
			engine, err := backing.Open(ctx, kind)
			if err != nil {
				return nil, nil, err
			}
			target, err := reference.Open(ctx, engine, o)
			if err != nil {
				return nil, nil, errors.Join(err, engine.Close())
			}
			return target, func(ctx context.Context) error { return errors.Join(target.Close(ctx), engine.Close()) }, nil
		}, nil
	}
	description, err := web.Load(spec, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (harness.Target, func(context.Context) error, error) {
		target, err := web.Open(description)
		if err != nil {
			return nil, nil, err
		}
		return target, target.Close, nil
	}, nil
}
