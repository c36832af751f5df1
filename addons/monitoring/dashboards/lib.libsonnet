// Dashboards of Grafana, from little: rows of panels, each a title and queries.
{
  // dashboard lays rows of panels out on Grafana's 24 columns.
  dashboard(uid, title, rows, variables=[]):: {
    uid: 'platform-' + uid,
    title: title,
    tags: ['platform'],
    schemaVersion: 41,
    editable: false,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    templating: { list: variables },
    panels: std.flattenArrays(std.mapWithIndex(
      function(y, row)
        local width = std.floor(24 / std.length(row));
        std.mapWithIndex(
          function(x, panel) panel { id: y * 10 + x + 1, gridPos: { h: 8, w: width, x: x * width, y: y * 8 } },
          row
        ),
      rows
    )),
  },

  // variable lets people choose among a label's values.
  variable(name, query):: {
    name: name,
    type: 'query',
    datasource: { type: 'prometheus', uid: 'prometheus' },
    query: { query: query, refId: name },
    refresh: 2,
    includeAll: true,
    allValue: '.*',
    multi: true,
    current: { text: ['All'], value: ['$__all'] },
  },

  local panel(type, title, queries, unit) = {
    type: type,
    title: title,
    datasource: { type: 'prometheus', uid: 'prometheus' },
    targets: std.mapWithIndex(
      function(i, legend) {
        refId: std.char(65 + i),
        expr: queries[legend],
        legendFormat: legend,
        datasource: { type: 'prometheus', uid: 'prometheus' },
      },
      std.objectFields(queries)
    ),
    fieldConfig: { defaults: { unit: unit }, overrides: [] },
  },

  // graph draws queries, which are given by their legends, over time.
  graph(title, queries, unit='short', stack=false):: panel('timeseries', title, queries, unit) {
    fieldConfig+: { defaults+: { custom: { fillOpacity: 10, showPoints: 'never', stacking: { mode: if stack then 'normal' else 'none' } } } },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  },

  // number shows the present value of a query, green at first, then yellow, red.
  number(title, expr, unit='short', warn=null, critical=null):: panel('stat', title, { value: expr }, unit) {
    fieldConfig+: {
      defaults+: {
        thresholds: {
          mode: 'absolute',
          steps: [{ color: 'green', value: null }] +
                 (if warn == null then [] else [{ color: 'yellow', value: warn }]) +
                 (if critical == null then [] else [{ color: 'red', value: critical }]),
        },
      },
    },
    options: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'area' },
  },

  // table shows the present value of a query by its labels.
  table(title, expr, unit='short'):: panel('table', title, { value: expr }, unit) {
    targets: [super.targets[0] { format: 'table', instant: true }],
    transformations: [{ id: 'organize', options: { excludeByName: { Time: true } } }],
  },
}
