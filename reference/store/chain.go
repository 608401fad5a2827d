package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// The chain is made where the rows are. A trigger, which runs as the owner of the tables, gives each new entry its number, its time
// and its digest, and keeps the head of the tenant's chain: appending stays one statement and one round trip in every strategy, the
// lock on the head puts the entries of one tenant in a row and holds up nobody else, and the application's role, whatever statement
// it is made to send, can write none of these columns.
//
// The digest is SHA-256 and has no key: a key would have to be in the database for each append, where it would be a secret no
// longer. What a key is good for, that who owns the database cannot make the chain anew, is left to the anchors: heads that were
// seen, marked with the service's key and kept elsewhere.
//
// What is hashed is the digest before, the tenant, number and microseconds in eight bytes each, then the texts in the order of
// chained, each behind its length in four bytes.

// chained are the texts of an entry that the digest covers.
var chained = []string{"actor", "action", "object", "outcome", "ip", "agent", "request"}

func auditTable() table {
	return table{
		name: "audit", moved: AuditColumns + ", hash", order: "seq", trail: true,
		grants: `select, insert (tenant_id, ` + strings.Join(chained, ", ") + `)`,
		definition: `seq bigint not null, at timestamptz not null, actor text not null, action text not null, object text not null,
			outcome text not null default 'done', ip text not null default '', agent text not null default '', request text not null default '',
			hash bytea not null, primary key (tenant_id, seq)`,
		more: `create index audit_at on audit (tenant_id, at)`,
	}
}

// auditHeadsTable has the end of each chain, and what its first entry stands on: the entry before, which was pruned.
func auditHeadsTable() table {
	return table{
		name: "audit_heads", moved: "seq, hash, at, base_seq, base_hash", order: "seq", trail: true, grants: "select",
		definition: `seq bigint not null, hash bytea not null, at timestamptz not null, base_seq bigint not null, base_hash bytea not null,
			primary key (tenant_id)`,
		more: chainFunctions(),
	}
}

// chainFunctions are bound to the schema that they are made in: a temporary table of the same name is not taken for one of theirs. An
// entry that the owner carries from another room brings its digest along, and stays as it is.
func chainFunctions() string {
	var texts strings.Builder
	for _, column := range chained {
		fmt.Fprintf(&texts, " || int4send(octet_length(convert_to(new.%[1]s, 'UTF8'))) || convert_to(new.%[1]s, 'UTF8')", column)
	}
	return `select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
create function audit_chain() returns trigger language plpgsql security definer set search_path from current as $$
declare head audit_heads;
begin
	select * into head from audit_heads where tenant_id = new.tenant_id for update;
	if not found then
		insert into audit_heads as h values (new.tenant_id, 0, decode(repeat('00', 32), 'hex'), 'epoch', 0, decode(repeat('00', 32), 'hex'))
			on conflict (tenant_id) do update set seq = h.seq returning * into head;
	end if;
	new.seq := head.seq + 1;
	new.at := greatest(clock_timestamp(), head.at);
	new.hash := sha256(head.hash || uuid_send(new.tenant_id) || int8send(new.seq) || int8send((extract(epoch from new.at) * 1000000)::bigint)` +
		texts.String() + `);
	update audit_heads set seq = new.seq, hash = new.hash, at = new.at where tenant_id = new.tenant_id;
	return new;
end $$;
create trigger audit_chain before insert on audit for each row when (new.hash is null) execute function audit_chain();
create function audit_prune(whose uuid, before timestamptz) returns bigint language plpgsql security definer set search_path from current as $$
declare cut audit; gone bigint;
begin
	perform from audit_heads where tenant_id = whose for update;
	select * into cut from audit where tenant_id = whose and at < before order by seq desc limit 1;
	if not found then return 0; end if;
	delete from audit where tenant_id = whose and seq <= cut.seq;
	get diagnostics gone = row_count;
	update audit_heads set base_seq = cut.seq, base_hash = cut.hash where tenant_id = whose;
	insert into audit (tenant_id, actor, action, object) values (whose, 'retention', 'audit.prune',
		gone || ' entries, the last of them number ' || cut.seq || ' with the digest ' || encode(cut.hash, 'hex'));
	return gone;
end $$`
}

// Verified is what became of going through a trail.
type Verified struct {
	Intact  bool   `json:"intact"`
	Entries int    `json:"entries"`
	First   int64  `json:"first"` // number; what was before it is older than the tenant's trail is kept
	Last    int64  `json:"last"`
	Head    string `json:"head"`             // digest of the last
	Broken  int64  `json:"broken,omitempty"` // number of the first entry that is not as it was
	Reason  string `json:"reason,omitempty"`
}

// link is a row of the chain, with the head of its tenant.
type link struct {
	Entry
	hash               []byte
	head, base         int64
	headHash, baseHash []byte
}

func (l *link) scan(r pgx.Rows) error {
	return r.Scan(&l.head, &l.headHash, &l.base, &l.baseHash, &l.Seq, &l.hash, &l.At, &l.Actor, &l.Action, &l.Object, &l.Outcome, &l.IP, &l.Agent, &l.Request)
}

// digest of an entry that stands behind another.
func digest(before []byte, id uuid.UUID, e Entry) []byte {
	data := append(bytes.Clone(before), id[:]...)
	data = binary.BigEndian.AppendUint64(data, uint64(e.Seq))
	data = binary.BigEndian.AppendUint64(data, uint64(e.At.UnixMicro()))
	for _, text := range []string{e.Actor, e.Action, e.Object, e.Outcome, e.IP, e.Agent, e.Request} {
		data = append(binary.BigEndian.AppendUint32(data, uint32(len(text))), text...)
	}
	sum := sha256.Sum256(data)
	return sum[:]
}

func (a audit) Verify(ctx context.Context) (v Verified, err error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return v, err
	}
	id, err := uuid.Parse(string(identity.Tenant))
	if err != nil {
		return v, ErrNotFound
	}
	// The anchor first: a chain only grows meanwhile.
	anchor, anchored, err := a.anchors.of(ctx, identity.Tenant)
	if err != nil {
		return v, err
	}
	var l link
	broken := func(seq int64, reason string) {
		if v.Broken == 0 {
			v.Broken, v.Reason = seq, reason
		}
	}
	before, next := []byte(nil), int64(0)
	err = a.db.query(ctx, AuditChain, pgx.NamedArgs{}, func(r pgx.Rows) error {
		if err := l.scan(r); err != nil {
			return err
		}
		if next == 0 {
			before, next = l.baseHash, l.base+1
			v.First = next
		}
		if l.Seq == 0 {
			return nil // there is no entry
		}
		switch want := digest(before, id, l.Entry); {
		case l.Seq != next:
			broken(next, "it is not there")
		case !bytes.Equal(l.hash, want):
			broken(l.Seq, "its digest does not follow from what it says and from the entry before")
		case anchored && anchor.Seq == l.Seq && !bytes.Equal(anchor.Hash, l.hash):
			broken(l.Seq, "another entry was seen there before")
		}
		before, next = l.hash, l.Seq+1
		v.Entries++
		return nil
	})
	if err != nil {
		return v, err
	}
	v.Last, v.Head = next-1, hex.EncodeToString(before)
	switch {
	case l.headHash == nil && v.Entries > 0:
		broken(v.First, "the trail has entries and no head")
	case l.head != v.Last || !bytes.Equal(l.headHash, before):
		broken(v.Last+1, "the trail ends before its head")
	case anchored && anchor.Seq > v.Last:
		broken(v.Last+1, fmt.Sprintf("the trail was seen with %d entries", anchor.Seq))
	}
	if v.Intact = v.Broken == 0; v.Intact {
		err = a.anchors.Set(ctx, identity.Tenant, Anchor{Seq: v.Last, Hash: before})
	}
	return v, err
}
