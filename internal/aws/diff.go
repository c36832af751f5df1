package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"platform/internal/plan"
)

// step is a change and the calls that make it. A step without a change ends
// one that an earlier step began.
type step struct {
	change *plan.Change
	calls  []call
}

// diff says what to do so that what there is becomes what git declares, in the
// order in which it has to be done. It is pure: no client is in sight.
func diff(spec Spec, s *state) ([]step, error) {
	have, err := single(spec, s)
	if err != nil {
		return nil, err
	}
	z, err := chooseZone(spec, s.zones)
	if err != nil {
		return nil, err
	}
	if err := foreign(spec, s, z); err != nil {
		return nil, err
	}
	d := newDiffer(spec, s, have)
	d.group()
	d.nodeRules()
	d.targetGroups()
	kept := d.balancer(have)
	d.listeners(kept)
	d.records(z, kept)
	d.outdated()
	return append(d.steps, d.last...), nil
}

// single finds our load balancer, if there is one, and makes sure that there
// is one of everything at most.
func single(spec Spec, s *state) (*balancer, error) {
	if groups := s.ourGroups(spec.Cluster); len(groups) > 1 {
		return nil, &DuplicateError{Kind: "security groups", Cluster: spec.Cluster, IDs: each(groups, func(g group) string { return g.ID + " (" + g.Name + ")" })}
	}
	balancers := s.ourBalancers(spec.Cluster)
	switch len(balancers) {
	case 0:
		return nil, nil
	case 1:
		return &balancers[0], nil
	}
	return nil, &DuplicateError{Kind: "load balancers", Cluster: spec.Cluster, IDs: each(balancers, func(b balancer) string { return shortID(b.ARN) })}
}

// chooseZone prefers the public zone of a name. A private one serves where it
// is alone.
func chooseZone(spec Spec, zones []zone) (zone, error) {
	public := filter(zones, func(z zone) bool { return !z.Private })
	switch {
	case len(public) == 1:
		return public[0], nil
	case len(public) == 0 && len(zones) == 1:
		return zones[0], nil
	}
	return zone{}, &ZoneError{Name: spec.HostedZone, Found: each(zones, func(z zone) string {
		if z.Private {
			return z.ID + " private"
		}
		return z.ID + " public"
	})}
}

// foreign refuses to touch what has a name that git wants and isn't ours.
func foreign(spec Spec, s *state, z zone) error {
	if g := s.groupNamed(groupName(spec.Cluster)); g != nil && !ours(g.Tags, spec.Cluster) {
		return untagged(spec, groupResource(g.Name), g.ID)
	}
	for _, b := range s.balancers {
		if b.Name == spec.Ingress.Name && !ours(b.Tags, spec.Cluster) {
			return untagged(spec, balancerResource(b.Name), shortID(b.ARN))
		}
	}
	if err := foreignTargetGroup(spec, s); err != nil {
		return err
	}
	return foreignRecord(spec, z)
}

func foreignTargetGroup(spec Spec, s *state) error {
	if s.vpc == "" {
		return nil
	}
	for _, name := range spec.listeners() {
		if t := byName(s.targetGroups, targetGroupName(spec, s.vpc, name)); t != nil && !ours(t.Tags, spec.Cluster) {
			return untagged(spec, targetGroupResource(name), shortID(t.ARN))
		}
	}
	return nil
}

func untagged(spec Spec, resource, id string) error {
	return &ForeignError{
		Resource: resource,
		Found:    fmt.Sprintf("there is one already (%s) without the cluster's tags", id),
		Remedy:   fmt.Sprintf("if it is this cluster's, give it the tags %s=%s and %s=%s; else rename one of the two", tagCluster, spec.Cluster, tagComponent, component),
	}
}

func foreignRecord(spec Spec, z zone) error {
	resource := recordResource(spec.Wildcard)
	owner, marked := z.mark(spec.Wildcard)
	if marked && owner.Cluster != spec.Cluster {
		return &ForeignError{resource, fmt.Sprintf("it belongs to cluster %s, as the TXT record %s says", owner.Cluster, markName(spec.Wildcard)), "give one of the two clusters another wildcard"}
	}
	if text := z.find(markName(spec.Wildcard), "TXT"); text != nil && !marked {
		return &ForeignError{resource, fmt.Sprintf("the TXT record %s, which is to say whose it is, says something else: %s", text.Name, strings.Join(text.Values, " ")), "delete that TXT record, or choose another wildcard"}
	}
	for _, r := range z.Records {
		if r.Name != spec.Wildcard {
			continue
		}
		remedy := "delete it, or choose another wildcard; nothing was changed"
		switch {
		case r.Type == "CNAME":
			return &ForeignError{resource, fmt.Sprintf("there is a CNAME record of this name in zone %s (%s), and no other can be beside it", z.Name, r.points()), remedy}
		case r.Type == "A" && !marked:
			return &ForeignError{resource, fmt.Sprintf("there is an A record of this name in zone %s (%s) that isn't this tool's: TXT record %s is missing", z.Name, r.points(), markName(r.Name)), remedy}
		case r.Type == "A" && r.Policy != "":
			return &ForeignError{resource, fmt.Sprintf("the A record in zone %s has a routing policy (set identifier %q), which isn't this tool's", z.Name, r.Policy), remedy}
		case r.Type == "AAAA":
			return &ForeignError{resource, fmt.Sprintf("there is an AAAA record of this name in zone %s (%s) that isn't this tool's: IPv6 clients would go elsewhere", z.Name, r.points()), remedy}
		}
	}
	return nil
}

// points says where a record leads.
func (r record) points() string {
	if r.Alias != nil {
		return "alias of " + r.Alias.Name
	}
	return strings.Join(r.Values, " ")
}

func each[T any](all []T, text func(T) string) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = text(v)
	}
	return out
}

// differ collects the steps.
type differ struct {
	spec  Spec
	state *state
	want  desired
	// names are the names of security groups by ID.
	names map[string]string
	steps []step
	// last are steps that others have to precede.
	last []step
	// replaced are the target groups that have a successor by an earlier step.
	replaced map[string]bool
}

func newDiffer(spec Spec, s *state, have *balancer) *differ {
	d := &differ{spec: spec, state: s, want: desire(spec, s, have), names: map[string]string{}, replaced: map[string]bool{}}
	for _, g := range s.groups {
		d.names[g.ID] = g.Name
	}
	return d
}

func (d *differ) add(op plan.Op, resource string, fields []plan.Field, reason string, calls ...call) {
	d.steps = append(d.steps, step{change: d.change(op, resource, fields, reason), calls: calls})
}

func (d *differ) change(op plan.Op, resource string, fields []plan.Field, reason string) *plan.Change {
	return &plan.Change{Layer: plan.AWS, Op: op, Resource: resource, Diff: fields, Reason: reason}
}

func create(view map[string]any) []plan.Field { return plan.Diff("", nil, view) }

// group makes the load balancer's security group what git says.
func (d *differ) group() {
	want, resource := d.want.group, groupResource(d.want.group.Name)
	ours := d.state.ourGroups(d.spec.Cluster)
	if len(ours) == 0 {
		ingress := filter(want.Rules, func(r rule) bool { return !r.Egress })
		d.add(plan.Create, resource, create(groupView(want, want, d.state.vpc)), "",
			createGroup{Name: want.Name, VPC: d.state.vpc, Tags: want.Tags}, allow{Rules: ingress})
		return
	}
	have := ours[0]
	fields := plan.Diff("", groupView(have, want, d.state.vpc), groupView(want, want, d.state.vpc))
	if len(fields) == 0 {
		return
	}
	var calls []call
	if !equalTags(have.Tags, want.Tags) {
		calls = append(calls, tagGroup{ID: have.ID, Tags: want.Tags})
	}
	missing := missingRules(have.Rules, want.Rules)
	extra := missingRules(want.Rules, have.Rules)
	extra = filter(extra, func(r rule) bool { return r.key() != allowAll6.key() })
	d.add(plan.Update, resource, fields, "", append(calls, ruleCalls(have.ID, missing, extra)...)...)
}

// ruleCalls opens what is missing before it closes what is too much.
func ruleCalls(groupID string, missing, extra []rule) []call {
	var calls []call
	for _, egress := range []bool{false, true} {
		if some := filter(missing, func(r rule) bool { return r.Egress == egress }); len(some) > 0 {
			calls = append(calls, allow{Group: groupID, Egress: egress, Rules: some})
		}
	}
	for _, egress := range []bool{false, true} {
		if some := filter(extra, func(r rule) bool { return r.Egress == egress }); len(some) > 0 {
			calls = append(calls, revoke{Group: groupID, Egress: egress, IDs: each(some, func(r rule) string { return r.ID })})
		}
	}
	return calls
}

// missingRules are those of want that have lacks.
func missingRules(have, want []rule) []rule {
	return filter(want, func(r rule) bool {
		return !slices.ContainsFunc(have, func(h rule) bool { return h.key() == r.key() })
	})
}

// nodeRules lets the load balancer reach the nodes, in the group that kops
// made for them. What is to be closed is closed last, when no listener needs
// it any more.
func (d *differ) nodeRules() {
	name := nodesGroupName(d.spec.Cluster)
	names := maps.Clone(d.names)
	names[""] = d.want.group.Name // before it has an ID
	var id string
	var have []rule
	if nodes := d.state.groupNamed(name); nodes != nil {
		id, have = nodes.ID, filter(nodes.Rules, func(r rule) bool { return !r.Egress })
	}
	missing := missingRules(have, d.want.nodeRules)
	tagged := filter(have, func(r rule) bool { return ours(r.Tags, d.spec.Cluster) })
	extra := missingRules(d.want.nodeRules, tagged)
	fields := plan.Diff("", map[string]any{"ingress": rulesView(extra, names)}, map[string]any{"ingress": rulesView(missing, names)})
	closing := ruleCalls(id, nil, extra)
	switch {
	case len(missing) > 0:
		d.add(plan.Update, groupResource(name), fields, "", ruleCalls(id, missing, nil)...)
		if len(closing) > 0 {
			d.last = append(d.last, step{calls: closing})
		}
	case len(extra) > 0:
		d.last = append(d.last, step{change: d.change(plan.Update, groupResource(name), fields, ""), calls: closing})
	}
}

// targetGroups creates and corrects. What git no longer has goes last, when no
// listener uses it any more.
func (d *differ) targetGroups() {
	ours := d.state.ourTargetGroups(d.spec.Cluster)
	for i, name := range d.spec.listeners() {
		want, resource := d.want.targetGroups[i], targetGroupResource(name)
		if have := byName(ours, want.Name); have != nil {
			d.correctTargetGroup(resource, *have, want)
			continue
		}
		calls := []call{createTargetGroup{want}, setTargetGroupAttributes{Name: want.Name, Attributes: want.Attributes}}
		old := outdatedFor(ours, name, want.Name)
		if old == nil {
			d.add(plan.Create, resource, create(targetGroupView(want, want)), "", calls...)
			continue
		}
		for _, t := range ours {
			if t.Tags[tagListener] == name {
				d.replaced[t.ARN] = true
			}
		}
		d.add(plan.Replace, resource, plan.Diff("", targetGroupView(*old, want), targetGroupView(want, want)), replaceReason(*old, want), calls...)
	}
}

func byName(all []targetGroup, name string) *targetGroup {
	for i, t := range all {
		if t.Name == name {
			return &all[i]
		}
	}
	return nil
}

// outdatedFor finds a group of a listener by another name than the wanted one.
func outdatedFor(all []targetGroup, listener, name string) *targetGroup {
	for i, t := range all {
		if t.Tags[tagListener] == listener && t.Name != name {
			return &all[i]
		}
	}
	return nil
}

func replaceReason(have, want targetGroup) string {
	switch {
	case have.Port != want.Port:
		return "a target group's port can't be changed"
	case have.VPC != want.VPC:
		return "it is in another VPC"
	}
	return "its name can't be changed"
}

func (d *differ) correctTargetGroup(resource string, have, want targetGroup) {
	fields := plan.Diff("", targetGroupView(have, want), targetGroupView(want, want))
	if len(fields) == 0 {
		return
	}
	var calls []call
	if have.Check != want.Check {
		calls = append(calls, setCheck{ARN: have.ARN, Name: have.Name, Check: want.Check})
	}
	if changed := changedKeys(have.Attributes, want.Attributes); len(changed) > 0 {
		calls = append(calls, setTargetGroupAttributes{Name: have.Name, Attributes: changed})
	}
	if !equalTags(have.Tags, want.Tags) {
		calls = append(calls, tagTargetGroup{ARN: have.ARN, Name: have.Name, Tags: want.Tags})
	}
	d.add(plan.Update, resource, fields, "", calls...)
}

// outdated deletes the target groups that git no longer has or that have been
// replaced.
func (d *differ) outdated() {
	for _, t := range d.state.ourTargetGroups(d.spec.Cluster) {
		if byName(d.want.targetGroups, t.Name) != nil {
			continue
		}
		gone := deleteTargetGroup{ARN: t.ARN, Name: t.Name}
		if d.replaced[t.ARN] {
			d.steps = append(d.steps, step{calls: []call{gone}})
			continue
		}
		reason := "no listener in git uses it"
		if i := slices.Index(d.spec.listeners(), t.Tags[tagListener]); i >= 0 {
			reason = "replaced by " + d.want.targetGroups[i].Name
		}
		d.add(plan.Delete, targetGroupResource(t.Name), nil, reason, gone)
	}
}

// balancer makes the load balancer and returns the one that stays, nil if it
// is made anew.
func (d *differ) balancer(have *balancer) *balancer {
	want, resource := d.want.balancer, balancerResource(d.want.balancer.Name)
	groupName := d.want.group.Name
	want.Groups = []string{groupName}
	createCalls := []call{createBalancer{want}, setBalancerAttributes{Attributes: want.Attributes}}
	if have == nil {
		d.add(plan.Create, resource, create(balancerView(want, want, d.names)), "", createCalls...)
		return nil
	}
	fields := plan.Diff("", balancerView(*have, want, d.names), balancerView(want, want, d.names))
	if reason := mustReplace(*have, want); reason != "" {
		// A name can't be had twice, and neither can a target group's load
		// balancer: the old one has to go first.
		d.add(plan.Replace, resource, fields, reason, append(deleteBalancerCalls(*have), createCalls...)...)
		return nil
	}
	if len(fields) == 0 {
		return have
	}
	var calls []call
	if !maps.Equal(have.Subnets, want.Subnets) && len(want.Subnets) > 0 {
		calls = append(calls, setSubnets{ARN: have.ARN, Subnets: want.Subnets})
	}
	if d.want.group.ID == "" || !slices.Equal(have.Groups, []string{d.want.group.ID}) {
		calls = append(calls, setGroups{ARN: have.ARN})
	}
	if changed := changedKeys(have.Attributes, want.Attributes); len(changed) > 0 {
		calls = append(calls, setBalancerAttributes{Attributes: changed})
	}
	if !equalTags(have.Tags, want.Tags) {
		calls = append(calls, tagBalancer{ARN: have.ARN, Name: have.Name, Tags: want.Tags})
	}
	d.add(plan.Update, resource, fields, "", calls...)
	return have
}

// mustReplace says why a load balancer can't be changed to what is wanted.
func mustReplace(have, want balancer) string {
	switch {
	case have.Name != want.Name:
		return "a load balancer's name can't be changed"
	case have.Type != want.Type:
		return "a load balancer's type can't be changed"
	case have.Scheme != want.Scheme:
		return "a load balancer's scheme can't be changed"
	case want.VPC != "" && have.VPC != want.VPC:
		return "it is in another VPC"
	case len(have.Groups) == 0:
		return "it was made without a security group and can't be given one"
	}
	return ""
}

func deleteBalancerCalls(b balancer) []call {
	var calls []call
	if b.Attributes[attributeProtection] == "true" {
		calls = append(calls, unprotect{ARN: b.ARN, Name: b.Name})
	}
	return append(calls, deleteBalancer{ARN: b.ARN, Name: b.Name})
}

// listeners makes the listeners of the load balancer; kept is nil if it is new.
func (d *differ) listeners(kept *balancer) {
	var have []listener
	if kept != nil {
		have = kept.Listeners
	}
	targets := map[string]string{}
	for _, t := range d.state.targetGroups {
		targets[t.ARN] = t.Name
	}
	declared := map[int32]bool{}
	for i, name := range d.spec.listeners() {
		want, target := d.want.balancer.Listeners[i], d.want.targetGroups[i].Name
		declared[want.Port] = true
		view := listenerView(want, known(target))
		at := slices.IndexFunc(have, func(l listener) bool { return l.Port == want.Port })
		if at < 0 {
			d.add(plan.Create, listenerResource(name), create(view), "", createListener{Port: want.Port, Protocol: want.Protocol, Target: target})
			continue
		}
		found := have[at]
		var current any
		if found.TargetGroup != "" {
			current = found.TargetGroup
			if name, ok := targets[found.TargetGroup]; ok {
				current = name
			}
		}
		if fields := plan.Diff("", listenerView(found, current), view); len(fields) > 0 {
			d.add(plan.Update, listenerResource(name), fields, "", modifyListener{ARN: found.ARN, Port: want.Port, Protocol: want.Protocol, Target: target})
		}
	}
	for _, l := range have {
		if !declared[l.Port] {
			d.add(plan.Delete, strayListener(l), nil, "git doesn't declare it", deleteListener{l.ARN, l.Port})
		}
	}
}

// records points the wildcard at the load balancer and deletes those of the
// cluster's records that git no longer has.
func (d *differ) records(z zone, kept *balancer) {
	want, resource := d.want.record, recordResource(d.spec.Wildcard)
	if kept == nil {
		// Its name is known once it is made.
		want.Alias = &alias{Evaluate: want.Alias.Evaluate}
	}
	have, text := z.find(want.Name, want.Type), z.find(d.want.mark.Name, d.want.mark.Type)
	owner := d.spec.Cluster
	wantView := recordView(want, owner)
	switch {
	case have == nil && text == nil:
		d.add(plan.Create, resource, create(wantView), "", changeRecords{Zone: z.ID, Changes: []recordChange{{"CREATE", want}, {"CREATE", d.want.mark}}})
	case have == nil:
		d.add(plan.Create, resource, create(wantView), "", changeRecords{Zone: z.ID, Changes: []recordChange{{"CREATE", want}, {"UPSERT", d.want.mark}}})
	default:
		if fields := plan.Diff("", recordView(*have, owner), wantView); len(fields) > 0 {
			d.add(plan.Update, resource, fields, "", changeRecords{Zone: z.ID, Changes: []recordChange{{"UPSERT", want}}})
		}
	}
	for _, name := range z.marked(d.spec.Cluster) {
		if name != d.spec.Wildcard {
			d.steps = append(d.steps, deleteRecord(z, name, "git has another wildcard"))
		}
	}
}

// deleteRecord takes away a record that carries our mark, and the mark.
func deleteRecord(z zone, name, reason string) step {
	var changes []recordChange
	owner, _ := z.mark(name)
	if r := z.find(name, owner.Type); r != nil && r.Policy == "" {
		changes = append(changes, recordChange{"DELETE", *r})
	}
	changes = append(changes, recordChange{"DELETE", *z.find(markName(name), "TXT")})
	return step{
		change: &plan.Change{Layer: plan.AWS, Op: plan.Delete, Resource: recordResource(name), Reason: reason},
		calls:  []call{changeRecords{Zone: z.ID, Changes: changes}},
	}
}

// changedKeys are the wanted values that differ.
func changedKeys(have, want map[string]string) map[string]string {
	out := map[string]string{}
	for key, value := range want {
		if have[key] != value {
			out[key] = value
		}
	}
	return out
}

func equalTags(have, want map[string]string) bool { return len(changedKeys(have, want)) == 0 }
