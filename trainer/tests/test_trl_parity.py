"""Loss and adapter gradients are those of TRL's GRPOTrainer on the same batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from exit_trainer.groups import Group, Reply
from exit_trainer.model import Facts, Trainee
from exit_trainer.objective import Objective, Reduction
from exit_trainer.update import Budget, Fixed, accumulate
from tiny import VOCABULARY, lora_gradients, tiny_model, tokens

PROMPT = tokens(9, 1)
LENGTHS = (6, 2, 9, 4)
ADVANTAGES = (1.3, -0.7, -1.1, 0.0)
COMPLETIONS = [tokens(length, length) for length in LENGTHS]
CUT = 2
"""Of this completion the tail is masked, as of a reply that was cut."""
MASKS = [[1.0] * length for length in LENGTHS]
MASKS[CUT] = [1.0] * 5 + [0.0] * 4
LONGEST = 16


def around(logprobs: list[Tensor], spread: float, seed: int) -> list[Tensor]:
    """Another policy's log-probabilities: far enough away that every clip acts somewhere."""
    generator = torch.Generator().manual_seed(seed)
    return [row + spread * torch.randn(row.shape, generator=generator) for row in logprobs]


def own_logprobs() -> list[Tensor]:
    model = tiny_model("llama").get_base_model()
    rows = []
    for completion in COMPLETIONS:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([PROMPT + completion])).logits[0]
        picked = torch.log_softmax(logits[len(PROMPT) - 1 : -1], -1)
        rows.append(picked.gather(-1, torch.tensor(completion)[:, None]).squeeze(-1))
    return rows


OWN = own_logprobs()
OLD = around(OWN, 0.6, 1)
REFERENCE = around(OWN, 0.4, 2)


def ours(objective: Objective) -> tuple[float, dict[str, Tensor]]:
    model = tiny_model("llama")
    unknown = float("nan")
    replies = [
        Reply(index, ids, MASKS[index], [unknown] * len(ids), ADVANTAGES[index])
        for index, ids in enumerate(COMPLETIONS)
    ]
    trainee = Trainee(model, None, Facts("llama", "tiny", 0, None, 128))  # type: ignore[arg-type]
    fixed = Fixed(OLD, REFERENCE if objective.beta > 0 else None)
    sums = accumulate(trainee, [Group("g", "p", PROMPT, replies)], [fixed], [0], objective, Budget(12, 4))
    return sums.loss, lora_gradients(model)


def theirs(objective: Objective, folder: Path) -> tuple[float, dict[str, Tensor]]:
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    from trl import GRPOConfig, GRPOTrainer

    words = {f"w{number}": number for number in range(VOCABULARY)}
    core = Tokenizer(models.WordLevel(words, unk_token="w0"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="w0", eos_token="w1")
    model = tiny_model("llama")
    sequence = objective.reduction == "gspo"
    arguments = GRPOConfig(
        output_dir=str(folder),
        use_cpu=True,
        bf16=False,
        report_to=[],
        num_generations=len(COMPLETIONS),
        per_device_train_batch_size=len(COMPLETIONS),
        max_completion_length=LONGEST,
        loss_type="grpo" if sequence else objective.reduction,
        importance_sampling_level="sequence" if sequence else "token",
        epsilon=objective.eps,
        epsilon_high=objective.eps_high,
        delta=objective.delta,
        beta=objective.beta,
        # EXIT.md section 6 has the plain k3 estimate, not weighted by the ratio.
        use_bias_correction_kl=False,
        gradient_checkpointing=False,
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=arguments,
        train_dataset=Dataset.from_dict({"prompt": ["w5"] * 4}),
        processing_class=tokenizer,
    )
    trainer.model.eval()
    for name, parameter in trainer.model.named_parameters():
        parameter.requires_grad_("lora_" in name)
    longest = max(LENGTHS)

    def padded(rows: list[list[float]] | list[Tensor], kind: torch.dtype) -> Tensor:
        full = torch.zeros(len(rows), longest, dtype=kind)
        for at, row in enumerate(rows):
            full[at, : len(row)] = torch.as_tensor(row, dtype=kind)
        return full

    # Their mask also hides padding from attention; ours of a cut reply must not, so it goes in as a second mask.
    attended = padded([[1.0] * length for length in LENGTHS], torch.long)
    mask = padded(MASKS, torch.long)
    inputs = {
        "prompt_ids": torch.tensor([PROMPT] * len(COMPLETIONS)),
        "prompt_mask": torch.ones(len(COMPLETIONS), len(PROMPT), dtype=torch.long),
        "completion_ids": padded(COMPLETIONS, torch.long),
        "completion_mask": attended,
        "tool_mask": mask,
        "advantages": torch.tensor(ADVANTAGES),
        "old_per_token_logps": padded(OLD, torch.float32),
        "ref_per_token_logps": padded(REFERENCE, torch.float32),
        "num_items_in_batch": mask.sum(),
    }
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    return float(loss), lora_gradients(trainer.model)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("clip", [(0.2, 0.28, 2.0), (0.1, 0.1, 1.2), (0.5, 0.9, 50.0)], ids=str)
@pytest.mark.parametrize("beta", [0.0, 0.04])
@pytest.mark.parametrize("reduction", ["grpo", "dr_grpo", "dapo", "bnpo", "gspo"])
def test_loss_and_gradients(
    reduction: Reduction, beta: float, clip: tuple[float, float, float], tmp_path: Path
) -> None:
    eps, eps_high, delta = clip
    objective = Objective(reduction=reduction, eps=eps, eps_high=eps_high, delta=delta, beta=beta, max_length=LONGEST)
    loss, gradients = ours(objective)
    their_loss, their_gradients = theirs(objective, tmp_path)
    assert loss == pytest.approx(their_loss, rel=1e-5)
    for name, wanted in their_gradients.items():
        found = gradients[name]
        assert float((found - wanted).norm() / wanted.norm()) < 1e-5, name
