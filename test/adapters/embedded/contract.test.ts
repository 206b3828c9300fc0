import { policyContract } from "./contract.ts";
import { openEmbedded } from "./parts.ts";

policyContract("embedded", () => openEmbedded());
