package reference_test

import (
	"testing"

	"github.com/partywall/partywall/reference/backing/backingtest"
)

func TestMain(m *testing.M) { backingtest.Main(m) }
