"""NSGA-II: a genetic algorithm for several objectives."""

from __future__ import annotations

from harness.budget import Budget
from harness.errors import SettingError
from harness.problem import Problem
from optimizers.shared.optuna_study import OptunaStudy


class NSGA2(OptunaStudy):
    """NSGA-II (Deb, Pratap, Agarwal and Meyarivan 2002), Optuna's NSGAIISampler.

    "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", IEEE Transactions on Evolutionary Computation 6(2).
    The first generation is random. The parents of each later one are the best of the last generation and its own
    parents: by non-dominated rank, within a rank by crowding distance. With one objective it is a plain genetic
    algorithm. Use: ``python -m harness.run optimizer=nsga2``.

    Crossover 0.9 and mutation of one hyperparameter on average are as in the paper. The population of 50 is for
    budgets of hundreds of trials, the paper's is 100; that many trials are random search at first.

    Departures of Optuna from the paper:

    * Numbers are crossed uniformly (paper: simulated binary crossover).
    * A mutated hyperparameter is drawn uniformly from its range (paper: polynomial mutation).
    * Parents win tournaments by dominance only (paper: in a tie by crowding distance).
    * Optuna crosses and keeps the hyperparameters that all evaluated trials have; conditional ones are drawn at random.

    Trials of a start belong to the first generation. Spaces and failures: ``optimizers.shared.optuna_study``.

    Args:
        problem: Its space is read; all its objectives are minimized.
        seed: Optuna's seed.
        budget: Not used.
        population: Trials per generation.
        crossover_probability: Probability of a child with two parents; otherwise it has one.
        mutation_probability: Probability per hyperparameter; None for one divided by the number of crossed ones.

    Raises:
        SettingError: The population is below 2, or a probability is not in [0, 1].
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        population: int = 50,
        crossover_probability: float = 0.9,
        mutation_probability: float | None = None,
    ) -> None:
        if isinstance(population, bool) or not isinstance(population, int) or population < 2:
            raise SettingError(f"optimizer.population is {population!r}; give a whole number from 2, such as 50.")
        probabilities = {
            "crossover_probability": crossover_probability,
            "mutation_probability": 0.0 if mutation_probability is None else mutation_probability,
        }
        for name, value in probabilities.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise SettingError(f"optimizer.{name} is {value!r}; give a probability, 0 to 1, e.g. 0.5.")
        from optuna.samplers import NSGAIISampler

        sampler = NSGAIISampler(
            population_size=population,
            mutation_prob=mutation_probability,
            crossover_prob=crossover_probability,
            seed=seed,
        )
        super().__init__(problem, seed, sampler, "NSGA-II")
        self._generation = sampler._get_generation_key()
        self._attributes = {self._generation: 0}  # for trials of a start, which precede the first ask

    def _is_random(self) -> bool:
        """The first generation has no parents."""
        return self._attributes.get(self._generation) == 0
