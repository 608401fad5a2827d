package backing_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/backing/backingtest"
)

// TestPanicTakesTheServiceAlong: what one service was given on engines that others use goes with it, also when its test panics.
func TestPanicTakesTheServiceAlong(t *testing.T) {
	if os.Getenv("PARTYWALL_TEST_CHILD") != "" {
		panicking(t)
	}
	lent := backingtest.Service(t, template)
	owner := lent.Owner.Config().ConnConfig
	keys, err := lent.S3.GetCreds()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestPanicTakesTheServiceAlong$")
	child.Env = append(os.Environ(), "PARTYWALL_TEST_CHILD=1", backingtest.EnvKind+"=external",
		fmt.Sprintf("%s=host=%s port=%d user=%s password='%s' sslmode=disable", backing.EnvPostgres, owner.Host, owner.Port, owner.User, owner.Password),
		fmt.Sprintf("%s=redis://:%s@%s/%d", backing.EnvRedis, lent.Redis.Options().Password, lent.Redis.Options().Addr, lent.Redis.Options().DB),
		fmt.Sprintf("%s=http://%s:%s@%s", backing.EnvS3, keys.AccessKeyID, keys.SecretAccessKey, lent.S3.EndpointURL().Host))
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "panic: in a test") {
		t.Fatalf("the child ends with %v: %s", err, out)
	}
	var made []string // the databases, then the bucket
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "made "); ok {
			made = append(made, name)
		}
	}
	if len(made) != 3 {
		t.Fatalf("the child made %q: %s", made, out)
	}
	var left int
	if err := lent.Owner.QueryRow(t.Context(), `select count(*) from pg_database where datname = any($1)`, made[:2]).Scan(&left); err != nil || left > 0 {
		t.Errorf("of the databases %q %d are left, %v", made[:2], left, err)
	}
	if n, err := lent.Redis.DBSize(t.Context()).Result(); err != nil || n > 0 {
		t.Errorf("%d keys are left, %v", n, err)
	}
	if there, err := lent.S3.BucketExists(t.Context(), made[2]); err != nil || there {
		t.Errorf("the bucket %s is left: %v, %v", made[2], there, err)
	}
}

// panicking is the test that panics.
func panicking(t *testing.T) {
	s := backingtest.Service(t, template)
	err := s.Create(t.Context(), "room", `create table r ()`)
	if err == nil {
		err = s.Redis.Set(t.Context(), "key", "value", 0).Err()
	}
	if err == nil {
		_, err = s.S3.PutObject(t.Context(), s.Bucket, "deep/er/x", strings.NewReader("x"), 1, minio.PutObjectOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	room, err := s.Open(t.Context(), "room")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{s.App.Config().ConnConfig.Database, room.Config().ConnConfig.Database, s.Bucket}
	room.Close()
	_, _ = os.Stdout.WriteString("\nmade " + strings.Join(names, "\nmade ") + "\n")
	panic("in a test")
}
