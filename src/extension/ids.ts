/** Names shared with package.json; a test compares the two, both ways. */
export const commandIds = {
  iterate: "exitMl.iterate",
  stop: "exitMl.stop",
  applyRevision: "exitMl.applyRevision",
  revertApply: "exitMl.revertApply",
  showDiff: "exitMl.showDiff",
  showDiffFromRoot: "exitMl.showDiffFromRoot",
  showPromptAndReply: "exitMl.showPromptAndReply",
  showBest: "exitMl.showBest",
  showLog: "exitMl.showLog",
  exportTrainingData: "exitMl.exportTrainingData",
  setUpTask: "exitMl.setUpTask",
  openTask: "exitMl.openTask",
  buildImage: "exitMl.buildImage",
  selectModel: "exitMl.selectModel",
  selectFolder: "exitMl.selectFolder",
  installCli: "exitMl.installCli",
  installRuntime: "exitMl.installRuntime",
  refresh: "exitMl.refresh",
  fineTune: "exitMl.fineTune",
  rounds: "exitMl.rounds",
  gate: "exitMl.gate",
  promote: "exitMl.promote",
  rollback: "exitMl.rollback",
  showMetrics: "exitMl.showMetrics",
  showCard: "exitMl.showCard",
  revealFolder: "exitMl.revealFolder",
  copyDetails: "exitMl.copyDetails",
  /** Of a row of the tree only; not in package.json. */
  showMore: "exitMl.showMore",
} as const;

export const viewIds = { history: "exitMl.history", training: "exitMl.training" } as const;

/** What menus and welcome texts ask for. */
export const contextKeys = {
  /** What stands in the way of a run, or what there is: see state.ts. */
  state: "exitMl.state",
  /** A run or work with tuned models is under way. */
  running: "exitMl.running",
  /** Some iteration was made. */
  searched: "exitMl.searched",
  /** Some revision has scored. */
  scored: "exitMl.scored",
  /** The working tree holds an applied revision. */
  applied: "exitMl.applied",
  /** There is a tuned model. */
  tuned: "exitMl.tuned",
  /** A tuned model is in force. */
  inForce: "exitMl.inForce",
} as const;

/** Texts of ours: long lines are wrapped in them (configurationDefaults). */
export const languageIds = { step: "exit-ml-step" } as const;

export const schemes = { revision: "exit-ml-revision", text: "exit-ml-text" } as const;
