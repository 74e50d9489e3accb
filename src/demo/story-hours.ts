/** The part of the story in which hours and a night pass: what waits for its time, and what is folded into one mail. */
import { type Cast, extra, MINUTE, NORTHWIND } from "./cast.ts";
import { type Act, lookAgain, type Step } from "./step.ts";

const CROWD = [
  "Alpine Ski House",
  "Bellows College",
  "City Power",
  "Humongous",
  "Lamna",
  "Munson's",
  "Relecloud",
  "VanArsdel",
];

export function hourSteps({ wingtip }: Cast): readonly Step[] {
  return [
    {
      title: "An hour after its last turn, Trey's invitation has settled: one mail tells the rest.",
      at: "16:30",
      acts: [lookAgain],
      mails: ["summary"],
    },
    {
      title: "Alex expects an invitation from Wingtip, and does not want to be told of it before evening. It arrives.",
      at: "17:00",
      command: ["silence", "--org", "Wingtip", "--until", "90m", "--reason", "wanted", "--by", "alex"],
      acts: [({ api }) => api.invites.put(wingtip)],
      mails: [],
    },
    {
      title: "The silence is over, and the invitation still pending: now it is told.",
      at: "18:30",
      acts: [lookAgain],
      mails: ["invite.received"],
    },
    {
      title: "Alex takes care of Northwind's invitation, which ends tonight: no more reminders of it.",
      at: "18:45",
      command: ["ack", NORTHWIND.slice(0, 8), "--note", "the owner decides", "--by", "alex"],
      acts: [lookAgain],
      mails: [],
    },
    {
      title:
        "Eight organizations invite you within a quarter of an hour. The demo allows five mails an hour to each recipient: the others wait.",
      at: "20:00",
      apartMs: 2 * MINUTE,
      acts: CROWD.map(
        (name): Act =>
          ({ api }, now) =>
            api.invites.put(extra(name, now)),
      ),
      mails: Array.from({ length: 5 }, () => "invite.received"),
    },
    {
      title: "An hour later there is room again: one mail for all that waited. Nothing was dropped.",
      at: "21:00",
      acts: [lookAgain],
      mails: ["summary"],
      worthReading: true,
    },
    {
      title: "The team lead's quiet hours began at 22:00. Two invitations arrive, with ten days to answer: no mail.",
      at: "22:30",
      apartMs: 45 * MINUTE,
      acts: ["Blue Yonder Airlines", "Margie's Travel"].map(
        (name): Act =>
          ({ lead }, now) =>
            lead.invites.put(extra(name, now)),
      ),
      mails: [],
    },
    {
      title:
        "Two invitations end at night. Coho's to the team lead does not wait for the morning: a reminder six hours before, another in its last hour. Of Northwind's, which is taken care of, the outcome alone is told.",
      at: "05:00",
      acts: [lookAgain],
      mails: ["invite.expiring lead@example.com", "invite.expiring lead@example.com", "invite.expired"],
    },
    {
      title: "The quiet hours are over: one mail tells the team lead of both invitations, and how Coho's ended.",
      at: "07:00",
      acts: [lookAgain],
      mails: ["summary lead@example.com"],
      worthReading: true,
    },
    {
      title: "The digest: how things stand, and that all of this works.",
      at: "09:00",
      digest: true,
      acts: [lookAgain],
      mails: ["digest", "digest lead@example.com"],
    },
  ];
}
