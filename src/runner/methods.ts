/**
 * Which use case answers which method. The types of this table are also the check that the shapes on the wire
 * and those of the use cases are the same.
 */
import type { App } from "../app/app.ts";
import type { MethodName, RequestOf, ResponseOf } from "../protocol/methods.ts";

type Handlers = {
  [M in MethodName]: (app: App, request: RequestOf<M>, signal: AbortSignal) => Promise<ResponseOf<M>>;
};

export const handlers: Handlers = {
  init: (app, request) => app.init(request),
  check: (app, { task }, signal) => app.check(task, signal),
  score: (app, request, signal) => app.score(request, signal),
  confirm: (app, { task }, signal) => app.confirm(task, signal),
  startRun: (app, request) => app.startRun(request),
  stopRun: (app) => app.stopRun(),
  evaluate: (app, request, signal) => app.evaluate(request, signal),
  status: (app) => app.status(),
  doctor: (app, request, signal) => app.doctor(request, signal),
  tree: (app, { task }) => app.tree(task),
  show: (app, { node, task }) => app.show(node, task),
  showGroup: (app, { group }) => app.showGroup(group),
  solution: (app, { node, task }) => app.solution(node, task),
  diff: (app, { node, against, task }) => app.diff(node, against, task),
  apply: (app, { node, task }) => app.apply(node, task),
  revert: (app) => app.revert(),
  replay: (app, { run }) => app.replay(run),
  export: (app, request) => app.export(request),
  training: (app) => app.training(),
  estimateTraining: (app, request, signal) => app.estimateTraining(request, signal),
  startTuning: (app, request) => app.startTuning(request),
  promote: (app, request, signal) => app.promote(request, signal),
  rollback: (app, request, signal) => app.rollback(request, signal),
  clean: (app, request) => app.clean(request),
  models: (app, { endpoint }, signal) => app.models(endpoint ?? null, signal),
  allowEndpoint: (app, { endpoint }) => app.allowEndpoint(endpoint),
  installRuntime: (app, { folder }, signal) => app.installRuntime(folder, signal),
  buildImage: (app, { task }, signal) => app.buildImage(task, signal),
};
