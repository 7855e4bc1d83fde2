/** The commands that are over when they have answered: all but `start` and `demo`, in the order in which help lists them. */
import type { Command } from 'commander';
import { addChanges } from './changes.ts';
import { addCheck } from './check.ts';
import { addCohort } from './cohort.ts';
import type { CliContext, ExitCode } from './context.ts';
import { addDb } from './db.ts';
import { addDoctor } from './doctor.ts';
import { addExplain } from './explain.ts';
import { addGateways } from './gateways.ts';
import { addGuard } from './guard.ts';
import { addMismatches } from './mismatches.ts';
import { addRamp } from './ramp.ts';
import { addRebuild } from './rebuild.ts';
import { addCoverage, addReport } from './report.ts';
import { addRollback } from './rollback.ts';
import { addRules } from './rules.ts';
import { addStage } from './stage.ts';
import { addStatus } from './status.ts';
import { addUser } from './user.ts';

export function addOperations(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  addCheck(program, context, end);
  addExplain(program, context, end);
  addStatus(program, context, end);
  addCohort(program, context, end);
  addStage(program, context, end);
  addRollback(program, context, end);
  addRamp(program, context, end);
  addGuard(program, context, end);
  addUser(program, context, end);
  addChanges(program, context, end);
  addGateways(program, context, end);
  addRebuild(program, context, end);
  addDoctor(program, context, end);
  addDb(program, context, end);
  addMismatches(program, context, end);
  addRules(program, context, end);
  addCoverage(program, context, end);
  addReport(program, context, end);
}
