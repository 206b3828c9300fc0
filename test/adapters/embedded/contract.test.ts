import { describeWith } from "../../support/without.ts";
import { policyContract } from "../policy-contract.ts";
import { openEmbedded } from "./parts.ts";

describeWith("model")("with the small model", () => {
  policyContract("embedded", () => openEmbedded());
});
