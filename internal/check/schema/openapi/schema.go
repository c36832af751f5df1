package openapi

// Document is what one release of Kubernetes serves.
type Document struct {
	// Source is the module that the document was made from: path@version.
	Source string `json:"source"`
	Kinds  []Kind `json:"kinds"`
	// Definitions are the schemas of Kubernetes' types, by their names, such as
	// io.k8s.api.core.v1.Container.
	Definitions map[string]*Schema `json:"definitions"`
}

// Kind is a kind of which objects can be created.
type Kind struct {
	Group   string `json:"group,omitempty"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
	// Definition is the name of its schema.
	Definition string `json:"definition"`
}

// Schema is what a value must be like; what isn't said is free. It is the part
// of OpenAPI that Kubernetes uses, without texts.
type Schema struct {
	// Ref is the name of the definition that says everything else.
	Ref string `json:"ref,omitempty"`
	// Type is object, array, string, integer, number or boolean; empty is any,
	// or what Format says.
	Type string `json:"type,omitempty"`
	// Format narrows the type down: int32, int64, byte, date-time, and the
	// two of FormatQuantity and FormatIntOrString.
	Format     string             `json:"format,omitempty"`
	Properties map[string]*Schema `json:"properties,omitempty"`
	Required   []string           `json:"required,omitempty"`
	// Additional is what the values of a map are like.
	Additional *Schema  `json:"additional,omitempty"`
	Items      *Schema  `json:"items,omitempty"`
	Enum       []string `json:"enum,omitempty"`
	// Default is the value of a field that is left out, if it isn't the type's
	// zero value.
	Default any `json:"default,omitempty"`
	// Always says that the API server takes an empty object for a field that is
	// left out, so that what is required in it is required in any case.
	Always bool `json:"always,omitempty"`
	// ListType is set or map for lists whose elements are told apart by their
	// values or by MapKeys.
	ListType string   `json:"listType,omitempty"`
	MapKeys  []string `json:"mapKeys,omitempty"`
	// Open objects may have fields beside their properties.
	Open bool `json:"open,omitempty"`
	// Embedded objects have an apiVersion, a kind and metadata of their own.
	Embedded bool `json:"embedded,omitempty"`
}

// Formats that OpenAPI spells as alternatives of two types.
const (
	FormatQuantity    = "quantity"
	FormatIntOrString = "int-or-string"
)

// Types of values.
const (
	Object  = "object"
	Array   = "array"
	String  = "string"
	Integer = "integer"
	Number  = "number"
	Boolean = "boolean"
)
