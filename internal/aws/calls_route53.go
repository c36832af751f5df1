package aws

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// changeRecords changes records of one zone, all or none, and waits until
// every name server of Route 53 knows.
type changeRecords struct {
	Zone    string
	Changes []recordChange
}

type recordChange struct {
	// Action is CREATE, which fails if there is such a record by now, UPSERT
	// or DELETE.
	Action string
	Record record
}

func (c changeRecords) do(ctx context.Context, run *session) error {
	batch := &r53types.ChangeBatch{}
	var names []string
	for _, change := range c.Changes {
		names = append(names, change.Record.Type+" "+change.Record.Name)
		batch.Changes = append(batch.Changes, r53types.Change{
			Action: r53types.ChangeAction(change.Action), ResourceRecordSet: change.Record.set(run.balancer),
		})
	}
	out, err := run.route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &c.Zone, ChangeBatch: batch})
	if err != nil {
		var refused *r53types.InvalidChangeBatch
		if errors.As(err, &refused) && len(refused.Messages) > 0 {
			err = &batchError{refused}
		}
		return failed(err, "changing records %s in hosted zone %s", strings.Join(names, ", "), c.Zone)
	}
	run.event(run.waiting, "waiting", "for Route 53 to spread the change", true)
	waiter := route53.NewResourceRecordSetsChangedWaiter(run.route53, func(o *route53.ResourceRecordSetsChangedWaiterOptions) {
		o.MinDelay, o.MaxDelay = run.tick, 10*run.tick
	})
	err = waiter.Wait(ctx, &route53.GetChangeInput{Id: out.ChangeInfo.Id}, run.patience)
	return failed(err, "waiting for Route 53 to spread the change of %s", strings.Join(names, ", "))
}

// batchError is a refused batch. Its reasons are in a list, and the service's
// own message is often empty.
type batchError struct{ *r53types.InvalidChangeBatch }

func (e *batchError) ErrorMessage() string { return strings.Join(e.Messages, "; ") }
func (e *batchError) Unwrap() error        { return e.InvalidChangeBatch }

// set is the record as Route 53 takes it. An alias without a name is for our
// load balancer.
func (r record) set(b balancer) *r53types.ResourceRecordSet {
	out := &r53types.ResourceRecordSet{Name: &r.Name, Type: r53types.RRType(r.Type)}
	if r.Alias == nil {
		out.TTL = &r.TTL
		for _, value := range r.Values {
			out.ResourceRecords = append(out.ResourceRecords, r53types.ResourceRecord{Value: &value})
		}
		return out
	}
	target := *r.Alias
	if target.Name == "" {
		target.Name, target.Zone = canonicalName(b.DNSName), b.Zone
	}
	out.AliasTarget = &r53types.AliasTarget{DNSName: &target.Name, HostedZoneId: &target.Zone, EvaluateTargetHealth: target.Evaluate}
	return out
}
