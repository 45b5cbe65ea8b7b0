/** The id of the button behind which the keyboard's keys are listed. */
export const HELP_BUTTON = "help-button";
