package schema

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"platform/internal/check/schema/openapi"
	"platform/internal/render"
)

var definitionKind = runtimeschema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// compiler makes the definitions of custom resources usable, each once although
// several clusters have it.
type compiler struct {
	mu   sync.Mutex
	done map[[sha256.Size]byte]func() (*definition, error)
}

func newCompiler() *compiler {
	return &compiler{done: map[[sha256.Size]byte]func() (*definition, error){}}
}

// definition is a CustomResourceDefinition.
type definition struct {
	name string
	kind runtimeschema.GroupKind
	spec apiextensionsv1.CustomResourceDefinitionSpec
	// problems are what the API server would say about the definition.
	problems func() field.ErrorList
	// versions are what its objects are like; nil for a version without a
	// usable schema.
	versions map[string]func() *customVersion
}

// customVersion is one version of a kind of custom resources.
type customVersion struct {
	structural *schema.Structural
	schema     *openapi.Schema
	values     validation.SchemaValidator
	rules      *cel.Validator // nil if there are none
}

// definitions are those of a cluster, by the kind that they define.
type definitions map[runtimeschema.GroupKind]*definition

// collect reads the definitions that a cluster declares.
func (c *compiler) collect(rendered *render.Cluster) definitions {
	out := definitions{}
	for _, file := range rendered.Files {
		for _, object := range file.Objects {
			if object.GroupVersionKind().GroupKind() != definitionKind {
				continue
			}
			// One that can't be read is reported as an object of its kind.
			if d, err := c.read(object); err == nil && out[d.kind] == nil {
				out[d.kind] = d
			}
		}
	}
	return out
}

func (d definitions) kindsOf(group string) []string {
	var out []string
	for kind := range d {
		if kind.Group == group {
			out = append(out, kind.Kind)
		}
	}
	slices.Sort(out)
	return out
}

// read makes a definition of an object.
func (c *compiler) read(object render.Object) (*definition, error) {
	data, err := json.Marshal(object.Object)
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(data)
	c.mu.Lock()
	made, ok := c.done[key]
	if !ok {
		made = sync.OnceValues(func() (*definition, error) { return newDefinition(data) })
		c.done[key] = made
	}
	c.mu.Unlock()
	return made()
}

func newDefinition(data []byte) (*definition, error) {
	crd := new(apiextensionsv1.CustomResourceDefinition)
	if err := json.Unmarshal(data, crd); err != nil {
		return nil, err
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinition(crd)
	internal := new(apiextensions.CustomResourceDefinition)
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(crd, internal, nil); err != nil {
		return nil, err
	}
	d := &definition{
		name: crd.Name, spec: crd.Spec,
		kind:     runtimeschema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind},
		versions: map[string]func() *customVersion{},
		problems: sync.OnceValue(func() field.ErrorList { return validate(internal) }),
	}
	for _, v := range crd.Spec.Versions {
		d.versions[v.Name] = sync.OnceValue(func() *customVersion { return compile(internal, v.Name) })
	}
	return d, nil
}

// validate is the API server's own validation. It panics on some definitions,
// such as one with selectable fields and no schema; the API server then drops
// the request.
func validate(crd *apiextensions.CustomResourceDefinition) (errs field.ErrorList) {
	defer func() {
		if cause := recover(); cause != nil {
			errs = field.ErrorList{field.InternalError(field.NewPath("spec"), fmt.Errorf("the API server's validation breaks on it: %v", cause))}
		}
	}()
	return crdvalidation.ValidateCustomResourceDefinition(context.Background(), crd)
}

// compile makes a version's schema usable, as the API server does.
func compile(crd *apiextensions.CustomResourceDefinition, version string) *customVersion {
	described, err := apiextensions.GetSchemaForVersion(crd, version)
	if err != nil || described == nil || described.OpenAPIV3Schema == nil {
		return nil
	}
	structural, err := schema.NewStructural(described.OpenAPIV3Schema)
	if err != nil {
		return nil
	}
	values, _, err := validation.NewSchemaValidator(described.OpenAPIV3Schema)
	if err != nil {
		return nil
	}
	root := convert(structural)
	root.Properties["apiVersion"] = &openapi.Schema{Type: openapi.String}
	root.Properties["kind"] = &openapi.Schema{Type: openapi.String}
	root.Properties["metadata"] = &openapi.Schema{Ref: objectMeta}
	return &customVersion{
		structural: structural, schema: root, values: values,
		rules: cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}
}

// convert makes of a custom resource's schema what the walker understands; what
// it doesn't, the API server's own validation does.
func convert(s *schema.Structural) *openapi.Schema {
	if s == nil {
		return nil
	}
	out := &openapi.Schema{
		Type: s.Type, Open: s.XPreserveUnknownFields, Embedded: s.XEmbeddedResource,
		Items: convert(s.Items), MapKeys: s.XListMapKeys, Properties: map[string]*openapi.Schema{},
	}
	if s.XListType != nil && *s.XListType != "atomic" {
		out.ListType = *s.XListType
	}
	if s.XIntOrString {
		out.Type, out.Format = "", openapi.FormatIntOrString
	}
	for name, p := range s.Properties {
		out.Properties[name] = convert(&p)
	}
	if s.AdditionalProperties != nil {
		out.Open = out.Open || s.AdditionalProperties.Bool
		out.Additional = convert(s.AdditionalProperties.Structural)
	}
	if s.ValueValidation == nil {
		return out
	}
	out.Required = s.ValueValidation.Required
	for _, value := range s.ValueValidation.Enum {
		word, ok := value.Object.(string)
		if !ok {
			out.Enum = nil
			break
		}
		out.Enum = append(out.Enum, word)
	}
	return out
}

// version finds a version. The message says why it isn't served, or what to
// expect of one that is. A served version can be nil, if its schema is of no use.
func (d *definition) version(name string) (v *customVersion, served bool, message, fix string) {
	var others []string
	for _, version := range d.spec.Versions {
		if version.Served {
			others = append(others, version.Name)
		}
	}
	slices.SortFunc(others, func(a, b string) int { return -compareAPIVersions(a, b) })
	i := slices.IndexFunc(d.spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == name && v.Served })
	if i < 0 {
		message = fmt.Sprintf("the CustomResourceDefinition %s doesn't serve %s of %s", d.name, name, d.kind.Kind)
		if len(others) == 0 {
			return nil, false, message, "Serve the version in the definition."
		}
		return nil, false, message, fmt.Sprintf("Use %s/%s.", d.kind.Group, others[0])
	}
	if deprecated := d.spec.Versions[i]; deprecated.Deprecated {
		message = fmt.Sprintf("%s/%s %s is deprecated", d.kind.Group, name, d.kind.Kind)
		if deprecated.DeprecationWarning != nil {
			message = strings.TrimSuffix(*deprecated.DeprecationWarning, ".")
		}
		fix = "See the documentation of what defines it."
		if others[0] != name {
			fix = fmt.Sprintf("Use %s/%s.", d.kind.Group, others[0])
		}
	}
	return d.versions[name](), true, message, fix
}

// definition is what the API server would say about a definition.
func (c *cluster) definition(object render.Object) []problem {
	w := &walker{kind: definitionKind.Kind}
	d, err := c.compiler.read(object)
	if err != nil {
		w.report(nil, "can't be read: "+err.Error(), "Correct it: "+w.explain(nil))
		return w.problems
	}
	w.add(nil, object.Object, d.problems())
	return w.problems
}

// custom judges a custom resource in the API server's order: fields, defaults,
// values, rules.
func (c *cluster) custom(ctx context.Context, original map[string]any, v *customVersion) []problem {
	object := runtime.DeepCopyJSON(original)
	defaulting.Default(object, v.structural)
	kind, _ := object["kind"].(string)
	w := &walker{kind: kind, definitions: c.served.Definitions, custom: true}
	judge := c.judgeWith(w, object)
	w.visit = judge
	w.value(nil, object, v.schema, nil)
	w.add(nil, object, checkName(c.release(), "", "", object))
	w.add(nil, object, validation.ValidateCustomResource(nil, object, v.values))
	w.add(nil, object, objectmeta.Validate(nil, object, v.structural, false))
	w.add(nil, object, listtype.ValidateListSetsAndMaps(nil, v.structural, object))
	if len(w.problems) == 0 && v.rules != nil {
		errs, _ := v.rules.Validate(ctx, nil, v.structural, object, nil, celconfig.RuntimeCELCostBudget)
		w.add(nil, object, errs)
	}
	return w.problems
}
