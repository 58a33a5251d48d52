#!/bin/bash
# Five seeds as a job array: sbatch slurm-array.sh. A task that was preempted and is requeued goes on where it was.
#SBATCH --job-name=firstsolo
#SBATCH --array=0-4
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@120
set -euo pipefail

firstsolo=${FIRSTSOLO:-firstsolo}
here=${SLURM_SUBMIT_DIR:-$(cd "$(dirname "$0")" && pwd)}
seed=$((42 + ${SLURM_ARRAY_TASK_ID:-0}))
root=${LOG_ROOT:-$here/logs/rsl_rl}
name=seed-$seed

runs=("$root"/array/*_"$name"/)
if [ -d "${runs[-1]}" ]; then
  set -- --resume "${runs[-1]}"
else
  set -- --config "$here/distill.yaml" --experiment_name array --run_name "$name" --seed "$seed"
fi
# exec: Slurm's TERM reaches the runner, which lands with a checkpoint.
exec $firstsolo train --log_root "$root" --threads "${SLURM_CPUS_PER_TASK:-4}" --ui plain "$@"
