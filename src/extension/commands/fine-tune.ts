/** **Fine-Tune Local Model**: trains the model that searched on what it found, after saying what that takes. */
import { type QuickPickItem, QuickPickItemKind, window } from "vscode";
import { droppedText, estimateRows } from "../../client/words/tuning-text.ts";
import { ExitError } from "../../protocol/errors.ts";
import type { RequestOf } from "../../protocol/methods.ts";
import { defaultTraining, type TrainingEstimate } from "../../protocol/results.ts";
import type { Session } from "../runner/session.ts";
import type { Sessions } from "../runner/sessions.ts";
import { modelSettings, trainingSettings } from "../settings.ts";
import { withConsent } from "./ask-consent.ts";
import { askNumber, whole } from "./ask-number.ts";
import { callWithProgress } from "./call-with-progress.ts";
import { given } from "./given.ts";
import { watchTuning } from "./watch-tuning.ts";

type Request = RequestOf<"estimateTraining">;
type Training = Request["training"];

const title = "Fine-Tune Local Model";

export async function fineTune(sessions: Sessions): Promise<void> {
  const session = await sessions.current();
  if (session.history.size === 0) await session.refresh();
  if (!session.history.hasRevisions())
    throw new ExitError(
      "too-few-groups",
      "There is nothing to learn from yet: a model learns from iterations whose replies differ in quality. Iterate Solution makes some.",
    );
  const training = await chooseTraining(session);
  await watchTuning(session, { job: "fine-tune", ...requestFor(session, training) });
}

/** What is trained is what searched; a model of the settings may be another one. */
function requestFor({ status }: Session, training: Training): Request {
  const { name, runtime, endpoint } = modelSettings();
  const isKnown = status?.runs.at(-1)?.provenance?.policy !== undefined;
  return { model: isKnown ? null : name, runtime: isKnown ? null : runtime, endpoint, training };
}

/** One list shows what the training would take and changes what can be changed, until it is started. */
async function chooseTraining(session: Session): Promise<Training> {
  let training = trainingSettings();
  let estimate = await estimated(session, training);
  for (;;) {
    const start: QuickPickItem = { label: "$(play) Start", detail: fitWords(estimate) };
    const { stage } = estimate;
    const most = training.updates ?? defaultTraining.updates;
    const updates: QuickPickItem = {
      label: "$(list-ordered) Updates",
      description: `${stage.updates}, at most ${most}`,
    };
    const named = training.device ?? defaultTraining.device;
    const device: QuickPickItem = {
      label: "$(circuit-board) Device",
      description: named === "auto" ? `${stage.device}, the first there is` : stage.device,
    };
    const facts = estimateRows(estimate)
      .filter(([name]) => name !== "updates" && name !== "device")
      .concat(settingRows(training))
      .map(([label, description]) => ({ label, description }));
    const picked = await window.showQuickPick(
      [start, updates, device, { label: "Estimate", kind: QuickPickItemKind.Separator }, ...facts],
      { title, placeHolder: "Start, or change a line first", ignoreFocusOut: true },
    );
    const before = training;
    switch (given(picked, "How to train")) {
      case start:
        return training;
      case updates: {
        const asked = await askNumber(title, "Updates at most", whole);
        if (asked !== undefined) training = { ...training, updates: asked };
        break;
      }
      case device: {
        const asked = await window.showQuickPick(devices, { title: "Device", ignoreFocusOut: true });
        if (asked !== undefined) training = { ...training, device: asked.label };
        break;
      }
    }
    if (training !== before) estimate = await estimated(session, training);
  }
}

/** What else is other than by default. */
function settingRows({ updates: _, device: __, ...others }: Training): [string, string][] {
  const changed = Object.entries(others).map(([name, value]) => `${name} ${value}`);
  return changed.length === 0 ? [] : [["settings", changed.join(", ")]];
}

const devices: (QuickPickItem & { readonly label: NonNullable<Training["device"]> })[] = [
  { label: "auto", detail: "The first there is: CUDA, MPS, CPU" },
  { label: "cuda" },
  { label: "mps" },
  { label: "cpu", detail: "Slow for all but small models" },
];

type Estimate = TrainingEstimate & { readonly stage: NonNullable<TrainingEstimate["stage"]> };

/** @throws ExitError `too-few-groups`. */
async function estimated(session: Session, training: Training): Promise<Estimate> {
  const estimate = await withConsent(session, () =>
    callWithProgress(
      session,
      "Estimating the training; the first time its Python environment is fetched, some 6 GB",
      (signal) => session.call("estimateTraining", requestFor(session, training), signal),
    ),
  );
  const { stage } = estimate;
  if (stage !== null) return { ...estimate, stage };
  const left = droppedText(estimate.dropped);
  throw new ExitError(
    "too-few-groups",
    `Of ${estimate.seen} iterations ${estimate.kept} can be trained on, too few to learn from${left === "" ? "" : ` (left out: ${left})`}. Iterate Solution with the strategy exit makes more.`,
  );
}

function fitWords({ stage, tunedBytes }: Estimate): string {
  const warnings = [
    ...(stage.fits ? [] : ["It needs more memory than is free, so it may be slow or end early."]),
    ...(stage.diskFree > stage.disk + tunedBytes ? [] : ["It may need more disk than is free."]),
  ];
  return [...warnings, "It goes on when the window is closed; Stop ends it"].join(" ");
}
